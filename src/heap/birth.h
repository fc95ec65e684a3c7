/*
 * heap/birth: when a block was allocated, counted in collection cycles, in its state byte.
 *
 * A collector changes the birth when it begins a cycle. From then on every block that malloc returns carries the new one,
 * without a test in malloc: it is written together with "allocated". So the blocks of a cycle's own time are told from
 * those it may reclaim, and young ones from old ones. Births wrap around after BIRTH_COUNT cycles; before one is used again
 * the collector gives the blocks that still carry it another.
 */
#ifndef HEAP_BIRTH_H
#define HEAP_BIRTH_H

#include "base/image.h"
#include "heap/unit.h"

struct thread_heap;

/* The state of a large block allocated now. */
static inline uint8_t birth_state_now(void)
{
    return slot_state_of(SLOT_ALLOCATED, image_now->birth);
}

/*
 * All thread heaps, parked ones too, and large blocks go on with this birth, below BIRTH_COUNT. The caller holds all locks
 * of the heap (heap_lock_all) and no thread but its own runs: one that is inside malloc may still use the former birth for that
 * one block.
 */
void heap_birth_set(uint32_t birth);

/* Gives the present birth to the buffers of a heap that is new. */
void birth_apply(struct thread_heap *heap);

#endif
