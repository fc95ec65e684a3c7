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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BATCH_SLOTS = 60, BATCH_BYTES_MAX = 65536 };

struct batch {
    struct batch *next;
    struct thread_heap *home; /* whose it is */
    uint32_t count;
    uint32_t unused;
    size_t bytes;
    void *slots[BATCH_SLOTS];
};

/* The outbox that batches for this owner go through; it may hold another owner's now. */
static inline struct outbox *outbox_for(struct thread_heap *heap, const struct thread_heap *owner)
{
    uint64_t hash = ((uintptr_t)owner >> 6) * 0x9e3779b97f4a7c15u; /* heaps are multiples of 64 bytes apart */
    return &heap->outboxes[(hash >> 32) % OUTBOX_COUNT];
}

/* The slot before the count: a fork may catch us in between. */
static inline void batch_add(struct batch *batch, void *slot, size_t slot_bytes)
{
    batch->slots[batch->count] = slot;
    batch->bytes += slot_bytes;
    __atomic_store_n(&batch->count, batch->count + 1, __ATOMIC_RELEASE);
}

/* Adds to the batch that is being filled for this owner. Returns false when there is none or it would be full. */
static inline bool remote_free_fast(struct thread_heap *heap, const struct thread_heap *owner, void *slot,
                                    size_t slot_bytes)
{
    struct outbox *outbox = outbox_for(heap, owner);
    struct batch *batch = outbox->batch;
    if (outbox->owner != owner || batch == NULL || batch->count >= BATCH_SLOTS - 1 ||
        batch->bytes + slot_bytes >= BATCH_BYTES_MAX)
        return false;
    batch_add(batch, slot, slot_bytes);
    return true;
}

/* Frees a slot, whose state is already set free, of another heap's span. `heap` is the calling thread's. */
void remote_free(struct thread_heap *heap, struct thread_heap *owner, void *slot, size_t slot_bytes);

/* Empties the heap's inbox: into the buffers while they have room, else into the spans. The heap is the caller's. */
void remote_drain(struct thread_heap *heap);

/* The same into the spans only, for a heap of somebody else. Its lock is held. */
void remote_drain_to_spans(struct thread_heap *owner);

/*
 * In the child of a fork: throws those of the inbox's slots away whose spans belong to orphans, now that all orphans are
 * known: a rebuild finds them by their states, and would offer them once more.
 */
void remote_forget_orphans(struct thread_heap *heap);

/* Sets a slot free in its span at once, whoever owns that. For threads that can have no heap or batch. */
void remote_return(void *slot);

/* Sends all batches that are being filled, however little they hold. */
void remote_send_all(struct thread_heap *heap);

/* Checks every slot in the batches on the way from or to this heap, likewise. Returns NULL or what is wrong. */
const char *remote_verify(const struct thread_heap *heap);

/* Slots in all batches on the way from or to this heap: for heap_verify() while threads are quiet. */
size_t remote_count(const struct thread_heap *heap);

#endif
