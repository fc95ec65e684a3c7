/*
 * heap/buffer: from spans into a thread's buffers, and back. The slow halves of malloc and free.
 */
#ifndef HEAP_BUFFER_H
#define HEAP_BUFFER_H

#include "heap/thread.h"
#include "heap/unit.h"

#include <stddef.h>

/*
 * Fills the class's empty buffer with at least one entry. Returns 0 or -ENOMEM. The heap is the calling thread's.
 */
int buffer_refill(struct thread_heap *heap, uint32_t class_index);

/* Makes room in the class's full buffer: makes it larger or moves its oldest entries to the spans. */
void buffer_make_room(struct thread_heap *heap, uint32_t class_index);

/* What the heap's buffers hold. */
size_t buffer_held_bytes(const struct thread_heap *heap);

/* Moves every entry of every buffer to the spans, and gives up the empty ones. */
void buffer_flush_all(struct thread_heap *heap);

/* Sets the slot free in its span, and gives the span up if it is empty and not needed. The owner's lock is held. */
void buffer_return_slot(struct thread_heap *owner, const struct unit *unit, const uint8_t *state);

/*
 * Frees those slots of the span whose bits are set that hold blocks which do not carry `birth`: nobody can free them any
 * more. The lock of its owner is held; the span may be gone afterwards. Returns how many they were.
 */
uint32_t buffer_reclaim(struct span *span, const uint64_t *garbage, uint32_t birth);

/* Frees those slots of the span whose bits are set, all of them held (heap/limbo.h), at least one. Likewise. */
void buffer_release(struct span *span, const uint64_t *held);

#endif
