/*
 * leak/stacks: every distinct call stack once.
 *
 * Thread-safe and, where no memory is needed, async-signal-safe.
 */
#ifndef LEAK_STACKS_H
#define LEAK_STACKS_H

#include "leak/tables.h"

/* A table without stacks, in metadata; NULL when memory is short. */
struct stack_table *stacks_make(void);

#define STACK_HASH_FACTOR UINT64_C(0xd1342543de82ef95)

/*
 * A stack's hash: the sum of its frames, each times the factor to the power of its place from the innermost on, to the end. So
 * that of a stack with one more frame inside follows from that without.
 */
static inline uint64_t stacks_hash_end(uint64_t sum, uint32_t frame_count)
{
    uint64_t hash = sum + frame_count * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

uint64_t stacks_hash(const uint64_t *frames, uint32_t frame_count);

/* What is known of a stack beforehand. */
struct stacks_known {
    uint32_t before; /* the stack that the thread asked for before, or 0: what was made after it once may well come after it again */
    uint32_t id;     /* from the frame `own` on, which is not the first, it is this stack from `skip` on; or 0 */
    uint32_t own;
    uint32_t skip;
};

/* The id of the stack with this hash, which is entered if it is new. 0 for one without frames, and when there is no room. */
uint32_t stacks_id(struct stack_table *table, const uint64_t *frames, uint32_t frame_count, uint64_t hash,
                   struct stacks_known known);

/*
 * The stack with the id, in *stack_out; or NULL, and nothing there, for an id that no stack has as far as can be told. Good on a copy
 * of the image, too.
 */
const struct stack *stacks_get(const struct stack_table *table, uint32_t id, struct stack *stack_out);

/* Where its number in leak/lives.h is kept; NULL if it has none. */
uint32_t *stacks_life(const struct stack_table *table, uint32_t id);

#endif
