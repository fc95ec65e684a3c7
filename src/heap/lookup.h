/*
 * heap/lookup: which block an address belongs to. Thread-safe for blocks that nobody frees meanwhile.
 */
#ifndef HEAP_LOOKUP_H
#define HEAP_LOOKUP_H

#include "base/compiler.h"
#include "heap/unit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span;

struct block {
    struct span *span;
    uintptr_t start;
    size_t size_bytes;
    size_t index;  /* of the slot; 0 for a large block */
    uint8_t state; /* see heap/unit.h */
    uint8_t use;   /* the same */
};

/* True when the address lies in a slot or a large block, allocated or not. */
bool lookup_block(const void *address, struct block *block_out);

/* A chunk is no block of malloc's. */
static inline bool block_is_allocated(const struct block *block)
{
    return slot_is_allocated(block->state) && block->use == USE_MALLOC;
}

/* Of a slot or a large block: see class_rule.bias. */
static inline size_t block_usable_bytes(size_t slot_bytes)
{
    return slot_bytes - 1 + class_rule.bias;
}

/* What the program may use of a block that lookup_block() has found. */
size_t block_usable(const struct block *block);

/*
 * True when an allocated block starts at this address, which lies inside the heap; and its state. As quick as free(), and
 * trusts the descriptor as far.
 */
static ALWAYS_INLINE bool lookup_start(const void *address, uint8_t *state_out)
{
    const struct unit *unit = unit_at(address);
    uint8_t state = SLOT_FREE;
    if (LIKELY(unit->kind == UNIT_SPAN)) {
        struct slot_position position = unit_slot_position(unit, address);
        if (LIKELY(position.is_start))
            state = slot_state_get(unit->states + position.index);
    } else if (unit->kind == UNIT_LARGE && unit->start == (uintptr_t)address && unit->use == USE_MALLOC) {
        state = atomic_load_explicit(&unit->large_state, memory_order_relaxed);
    }
    *state_out = state;
    return slot_is_allocated(state);
}

/* The usable size of the allocated block that starts here, or 0. */
size_t lookup_usable_size(const void *pointer);

#endif
