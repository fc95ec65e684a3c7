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

/* The id of the stack, which is entered if it is new. 0 for one without frames, and when there is no room. */
uint32_t stacks_id(struct stack_table *table, const uint64_t *frames, uint32_t frame_count);

/* The stack with the id; NULL for an id that no stack has as far as can be told. Good on a copy of the image, too. */
const struct stack *stacks_get(const struct stack_table *table, uint32_t id);

#endif
