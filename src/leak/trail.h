/*
 * leak/trail: the calling thread's last walk, so that the next one need not go all the way.
 *
 * Between two allocations most of a stack stays as it was. A trail holds for each frame of the last walk where its return
 * address lay and what it was, and so for every other word of the stack that had a say in where the walk went. What still
 * is as it was need not be walked again: a new walk ends at the first frame from which on all is unchanged. The result is
 * exactly that of a whole walk, since that depends on nothing but these words, the registers it starts with and the rules.
 *
 * One thread each. Async-signal-safe as far as stacks go: see leak/record.
 */
#ifndef LEAK_TRAIL_H
#define LEAK_TRAIL_H

#include "leak/stacks.h"
#include "os/registers.h"

#include <stdbool.h>
#include <stdint.h>

struct trail_mark;
struct trail_state;
struct trail_extra;
struct trail_fresh;

enum { TRAIL_SKIPPED_MAX = 6, TRAIL_STARTS = 4 };

/*
 * A way from a function that takes stacks to the program's first frame, through frames that are skipped and left by simple
 * rules: by how much the stack pointer grows, and what return addresses there are on the way.
 */
struct trail_start {
    uintptr_t address; /* of the function; 0: there is no such start */
    uint32_t length;
    uint32_t count;
    struct {
        uintptr_t address;
        uintptr_t offset; /* of its place, from the first stack pointer */
    } skipped[TRAIL_SKIPPED_MAX];
};

/* Entries lie in [top, capacity), the outermost last: so the frames of a stack lie as struct stack has them. */
struct trail {
    const uint64_t *stack; /* what the last walk found, innermost first */
    uint32_t count;        /* of its frames */
    uint32_t id;           /* of this stack, as who uses the trail has it; set to 0 when it is another one */
    uint64_t hash;         /* stacks_hash() */
    struct trail_before {  /* the stack before, that had an id */
        uint32_t id;       /* 0: there is none */
        uint32_t top;      /* it began at this entry */
        uint32_t count;
        uint32_t same;     /* entries from here on are as they were then */
    } before;

    uint32_t limit;
    uint32_t capacity;
    uint32_t top;
    uint32_t extra_count;
    bool is_complete;    /* its last entry is the thread's first frame */
    uint32_t generation; /* of the rules */
    uintptr_t end;       /* of the stack it is about */
    uint64_t factor;     /* of the hash, to the power of `limit` */
    uint32_t start_count; /* that there were; the last few are kept */
    uint32_t failures;    /* how often registers were needed after all, lately */
    struct trail_start starts[TRAIL_STARTS];
    struct trail_mark *marks;
    struct trail_state *states;
    uint64_t *frames;
    struct trail_extra *extras; /* those of outer frames first */
    struct trail_fresh *fresh;
};

/* One for stacks of so many frames, without entries, for ever; NULL when memory is short. */
struct trail *trail_make(uint32_t limit);

/*
 * Walks from the caller of the function that the registers are of, and leaves out the first frames as long as they lie
 * between skip_start and skip_end.
 */
void trail_follow(struct trail *trail, const struct os_registers *from, uintptr_t skip_start, uintptr_t skip_end,
                  uint32_t now_ms);

/* What the stack has in common with the one before. */
struct stacks_known trail_known(const struct trail *trail);

#endif
