/*
 * heap/remote: blocks freed by a thread that does not own their span.
 *
 * The freeing thread collects them in a batch per owner and sends it with one exchange; the owner empties its inbox when
 * it needs slots. When an inbox holds much and its owner does not come, the sender empties it into the spans.
 */
#ifndef HEAP_REMOTE_H
#define HEAP_REMOTE_H

#include "heap/thread.h"
#include "heap/unit.h"

/* Frees a slot, whose state is already set free, of another heap's span. `heap` is the calling thread's. */
void remote_free(struct thread_heap *heap, struct thread_heap *owner, void *slot, size_t slot_bytes);

/* Empties the heap's inbox: into the buffers while they have room, else into the spans. The heap is the caller's. */
void remote_drain(struct thread_heap *heap);

/* The same into the spans only, for a heap of somebody else. Its lock is held. */
void remote_drain_to_spans(struct thread_heap *owner);

/*
 * Throws the inbox's slots of the heap's own spans away: span_rebuild() finds them by their states. The lock is held.
 */
void remote_forget_own(struct thread_heap *owner);

/* Sends all batches that are being filled, however little they hold. */
void remote_send_all(struct thread_heap *heap);

/* Slots in all batches on the way from or to this heap: for heap_verify() while threads are quiet. */
size_t remote_count(const struct thread_heap *heap);

#endif
