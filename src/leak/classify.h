/*
 * leak/classify: says of every block who holds it: the program, the kernel, perhaps somebody, or nobody.
 *
 * Works on the heap that image_now and heap_layout describe, be it the process's own or a copy that a tool has mapped at
 * the same addresses, blocks included. Who calls it feeds it the roots and sees to it that nothing changes meanwhile;
 * nothing here stops a thread or knows where roots are. Takes time in proportion to the heap, does not recurse, and has
 * its memory from the kernel. One classification at a time.
 *
 * A block is held by the address of its start, or by one inside that only C++ and libc make of it (leak/inner.h). What
 * other inner addresses hold, and what that leads to, is only possibly held (as in Valgrind's memcheck).
 */
#ifndef LEAK_CLASSIFY_H
#define LEAK_CLASSIFY_H

#include "leak/tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum leak_class {
    LEAK_NONE,       /* no block */
    LEAK_FINISHED,   /* in the middle of a classification: the first walk of what is lost is done with it */
    LEAK_UNSEEN,     /* likewise: nothing is known to hold it */
    LEAK_INNER,      /* likewise: only an inner address does */
    LEAK_REACHABLE,  /* the program holds it */
    LEAK_KERNEL,     /* only something does that the program has given to the kernel, or pinned */
    LEAK_SUPPRESSED, /* nobody does, but for what the program wants ignored */
    LEAK_POSSIBLE,   /* only by way of inner addresses */
    LEAK_INDIRECT,   /* lost, but held by another lost block */
    LEAK_DEFINITE,   /* lost: the head of what hangs under it, one for each cycle that nothing else holds */
    LEAK_RECLAIMED,  /* no block any more: it was lost, and a collector has freed it */
    LEAK_CLASSES,
};

/* What classifying needs of the program's memory besides the heap. */
struct classify_source {
    /* Reads a word, if there is one at the address. NULL: nothing is known of tables of virtual functions. */
    bool (*read)(uintptr_t address, uint64_t *word_out);
};

/* Begins: no block is held. Returns 0 or -ENOMEM. */
int classify_start(const struct classify_source *source);

/* Parts of the heap that must not be read, by address; they stay where they are until the end. Their contents are fed as roots. */
struct roots_part;
void classify_leave_out(const struct roots_part *parts, size_t count);

/* The words at multiples of step_bytes (8, 4 or 1) hold what they point to. `is_kernels`: the kernel has them, not the program. */
void classify_roots(const void *start, const void *end, unsigned step_bytes, bool is_kernels);

/* All roots have been fed: finds the class of every block. Returns 0 or -ENOMEM. */
int classify_finish(void);

/* A block whose class is known. */
struct classified {
    enum leak_class class;
    uintptr_t start;
    size_t slot_bytes;
    size_t size_bytes; /* what the program asked for, if that is recorded; else slot_bytes */
    uint32_t head;     /* of LEAK_DEFINITE and LEAK_INDIRECT: the number of the head it hangs under */
    uint32_t birth;    /* see heap/birth.h */
    uint32_t type;     /* see heap/typed.h; 0 if it has none */
    struct block_record record; /* zero if there is none */
};

/* Calls visit for each block but those of some classes (a bit each), or each of one class, by address. Between classify_finish() and classify_end(). */
void classify_each_but(uint32_t classes, void (*visit)(const struct classified *block, void *context), void *context);
void classify_each_of(enum leak_class class, void (*visit)(const struct classified *block, void *context), void *context);

/* All blocks of a class in one span, or a large block. */
struct classified_span {
    size_t slot_bytes;
    uint64_t blocks;
    uint64_t bytes; /* as size_bytes of each */
};

/* For who needs no more of them than that: several times as quick. */
void classify_each_span(enum leak_class class, void (*visit)(const struct classified_span *span, void *context), void *context);

/* How many heads there are, and whether the one with this number is part of a cycle. */
uint32_t classify_head_count(void);
bool classify_head_is_in_cycle(uint32_t head);

/* Gives the memory back. */
void classify_end(void);

#endif
