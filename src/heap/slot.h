/*
 * heap/slot: what a slot's state byte says, and how it changes.
 */
#ifndef HEAP_SLOT_H
#define HEAP_SLOT_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A slot's state, one byte beside the heap, exact at every moment. The low two bits are its kind, and bit 0 of them says
 * allocated; bit 2 is set while somebody has a note about the block (heap/note.h). A plain free() accepts only
 * SLOT_ALLOCATED without a note, so everything unusual about a block needs no test of its own on the fast path. The upper
 * five bits of an allocated slot are its birth: the collection cycle, modulo BIRTH_COUNT, in which it was allocated. A
 * free slot has none, but a held one (heap/limbo.h) has a mark.
 */
enum slot_kind {
    SLOT_FRESH = 0,     /* free, never handed out since its pages came: reads as zero */
    SLOT_ALLOCATED = 1, /* in use */
    SLOT_FREE = 2,      /* free, holds old data */
    SLOT_LEAF = 3,      /* in use, holds no pointers */
};

enum {
    SLOT_NOTED = 4,                          /* a bit: freeing or moving it concerns somebody */
    SLOT_RETIRED = SLOT_FREE | SLOT_NOTED,   /* free, but never handed out again: its generations are used up */
};

enum { KIND_MASK = 3, BIRTH_SHIFT = 3, BIRTH_COUNT = 32 };

static inline uint8_t slot_state_of(enum slot_kind kind, uint32_t birth)
{
    return (uint8_t)((uint32_t)kind | birth << BIRTH_SHIFT);
}

static ALWAYS_INLINE enum slot_kind slot_kind(uint8_t state)
{
    return (enum slot_kind)(state & KIND_MASK);
}

static inline uint32_t slot_birth(uint8_t state)
{
    return state >> BIRTH_SHIFT;
}

static inline bool slot_is_allocated(uint8_t state)
{
    return (state & 1) != 0;
}

/* Allocated, no leaf, and nobody has a note. */
static ALWAYS_INLINE bool slot_is_plain(uint8_t state)
{
    return (state & (KIND_MASK | SLOT_NOTED)) == SLOT_ALLOCATED;
}

static inline bool slot_is_noted(uint8_t state)
{
    return (state & SLOT_NOTED) != 0;
}

/* Atomic only so that a racing double free is defined behaviour; compiles to a plain byte access. */
static ALWAYS_INLINE uint8_t slot_state_get(const uint8_t *state)
{
    return __atomic_load_n(state, __ATOMIC_RELAXED);
}

static ALWAYS_INLINE void slot_state_set(uint8_t *state, uint8_t value)
{
    __atomic_store_n(state, value, __ATOMIC_RELAXED);
}

/* From allocated to free, for a slot of another thread's: of two threads that free it at once only one succeeds. */
static inline bool slot_state_release(uint8_t *state)
{
    return slot_is_allocated(__atomic_exchange_n(state, (uint8_t)SLOT_FREE, __ATOMIC_RELAXED));
}

/* For a collector: allocated, and before its cycle began. */
static inline bool slot_is_reclaimable(uint8_t state, uint32_t birth)
{
    return slot_is_allocated(state) && slot_birth(state) != birth;
}

/* Frees such a block. Who frees one to which he has hidden his pointers, in this very moment, frees it twice. */
static inline bool slot_state_reclaim(uint8_t *state, uint32_t birth)
{
    uint8_t before = slot_state_get(state);
    return slot_is_reclaimable(before, birth) &&
           __atomic_compare_exchange_n(state, &before, (uint8_t)SLOT_FREE, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

#endif
