/*
 * property/held: one block and what the model knows of it. Whatever is not as the model has it ends the process with a
 * line that says so.
 *
 * A block's bytes follow from its address and its id, so a block that is moved wrongly, overlaps another, is handed out
 * twice or is written to by the allocator is noticed when it is next looked at. Of large blocks one word a page is
 * written, so that contents cost little.
 */
#ifndef TESTS_PROPERTY_HELD_H
#define TESTS_PROPERTY_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum held_kind { HELD_PLAIN, HELD_ZEROED, HELD_ALIGNED, HELD_LEAF, HELD_KINDS };

struct held {
    unsigned char *block; /* NULL: nothing is held */
    size_t size_bytes;    /* as asked for */
    size_t align_bytes;   /* what was asked for; a resize forgets it */
    uint64_t id;
    bool is_leaf;
    bool is_exact; /* never resized nor aligned: its slot is the smallest for its size */
};

/* Allocates in the way of the kind, checks what came and fills it. Returns false when memory is short. */
bool held_take(struct held *held, enum held_kind kind, size_t size_bytes, size_t align_bytes,
               uint64_t id);

/* Resizes, checks that the contents came along and fills anew. Returns false when memory is short; all is as before. */
bool held_resize(struct held *held, size_t size_bytes);

/* Checks the contents and frees. `sized`: says the size, too. */
void held_free(struct held *held, bool sized);

/* Checks the contents, and that an address inside leads to the block. */
void held_check(const struct held *held);

/* Says what is wrong and ends the process. */
_Noreturn void held_fail(const struct held *held, const char *what);

#endif
