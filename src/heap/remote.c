/*
 * heap/remote: blocks freed by a thread that does not own their span.
 *
 * Batches are metadata, so free memory is neither read nor written. A batch is sent when it is full or holds 64 KiB, and
 * when its place is needed for another owner. Whoever empties a batch hands it back to the heap that made it.
 *
 * A span may change its owner while a slot of it travels: who empties an inbox looks at each slot's owner again.
 *
 * Uses base. Locks: the owner's lock around its spans.
 */
#include "heap/remote.h"

#include "base/invariant.h"
#include "heap/buffer.h"
#include "heap/metadata.h"
#include "heap/misuse.h"
#include "heap/span.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    INBOX_BYTES_MAX = 1024 * 1024, /* what may wait for a thread to come for it */
};

static struct thread_heap *owner_of(void *slot)
{
    return atomic_load_explicit(&unit_at(slot)->owner, memory_order_acquire);
}

static struct batch *batch_take(struct thread_heap *heap)
{
    if (heap->spare == NULL)
        heap->spare = atomic_exchange_explicit(&heap->returned, NULL, memory_order_acquire);
    struct batch *batch = heap->spare;
    if (batch != NULL) {
        heap->spare = batch->next;
    } else {
        batch = metadata_take(sizeof *batch);
        if (batch == NULL)
            return NULL;
        batch->home = heap;
    }
    batch->count = 0;
    batch->bytes = 0;
    return batch;
}

static void push(struct batch *_Atomic *stack, struct batch *batch)
{
    struct batch *newest = atomic_load_explicit(stack, memory_order_relaxed);
    do
        batch->next = newest;
    while (!atomic_compare_exchange_weak_explicit(stack, &newest, batch, memory_order_release, memory_order_relaxed));
}

/* Into the inbox. Returns the bytes that waited there before. */
static size_t post(struct thread_heap *owner, struct batch *batch)
{
    size_t waiting = atomic_fetch_add_explicit(&owner->inbox_bytes, batch->bytes, memory_order_relaxed);
    push(&owner->inbox, batch);
    return waiting;
}

static void send(struct thread_heap *owner, struct batch *batch)
{
    size_t waiting = post(owner, batch);
    bool somebody_comes = !atomic_load_explicit(&owner->parked, memory_order_relaxed);
    if ((somebody_comes && waiting <= INBOX_BYTES_MAX) || !lock_try(&owner->lock))
        return;
    remote_drain_to_spans(owner);
    lock_release(&owner->lock);
}

/* Out of the outbox first, then sent: a fork may catch us in between, and a batch lost is better than one sent twice. */
static void empty_outbox(struct outbox *outbox)
{
    struct batch *batch = outbox->batch;
    outbox->batch = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    if (batch != NULL)
        send(outbox->owner, batch);
}

/* The outbox for this owner, emptied of another owner's batch if need be. */
static struct outbox *claim_outbox(struct thread_heap *heap, struct thread_heap *owner)
{
    struct outbox *outbox = outbox_for(heap, owner);
    if (outbox->owner == owner)
        return outbox;
    empty_outbox(outbox);
    outbox->owner = owner;
    return outbox;
}

/* The span may get another owner before we have the lock of the one we saw. */
COLD void remote_return(void *slot)
{
    struct unit *unit = unit_at(slot);
    for (;;) {
        struct thread_heap *owner = owner_of(slot);
        lock_take(&owner->lock);
        bool is_owner = owner_of(slot) == owner;
        if (is_owner)
            buffer_return_slot(owner, unit, unit_slot_state(unit, slot));
        lock_release(&owner->lock);
        if (is_owner)
            return;
    }
}

void remote_free(struct thread_heap *heap, struct thread_heap *owner, void *slot, size_t slot_bytes)
{
    struct outbox *outbox = claim_outbox(heap, owner);
    if (outbox->batch == NULL && (outbox->batch = batch_take(heap)) == NULL) {
        remote_return(slot);
        return;
    }
    struct batch *batch = outbox->batch;
    batch_add(batch, slot, slot_bytes);
    if (batch->count >= BATCH_SLOTS || batch->bytes >= BATCH_BYTES_MAX)
        empty_outbox(outbox);
    misuse_report_noted();
}

void remote_send_all(struct thread_heap *heap)
{
    for (int i = 0; i < OUTBOX_COUNT; i++) {
        struct outbox *outbox = &heap->outboxes[i];
        empty_outbox(outbox);
        outbox->owner = NULL;
    }
}

static struct batch *take_inbox(struct thread_heap *heap)
{
    if (atomic_load_explicit(&heap->inbox, memory_order_relaxed) == NULL)
        return NULL;
    atomic_store_explicit(&heap->inbox_bytes, 0, memory_order_relaxed);
    return atomic_exchange_explicit(&heap->inbox, NULL, memory_order_acquire);
}

/*
 * Ends a batch that was gone through. Slots that have another owner by now are left in it, and it goes to the owner of
 * the first; that one sees to the rest in the same way, so no memory is needed.
 */
static void finish_batch(struct batch *batch)
{
    if (batch->count == 0)
        push(&batch->home->returned, batch);
    else
        post(owner_of(batch->slots[0]), batch);
}

/* Into the buffer while it has room. The slot is the caller's own. */
static bool push_to_buffer(struct thread_heap *heap, void *slot)
{
    struct unit *unit = unit_at(slot);
    struct buffer *buffer = &heap->buffers[unit->class_index];
    if (buffer->top == buffer->limit)
        return false;
    buffer_push(buffer, slot, unit_slot_state(unit, slot));
    return true;
}

static void drain_to_buffers(struct thread_heap *heap, struct batch *batch)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        void *slot = batch->slots[i];
        if (owner_of(slot) != heap || !push_to_buffer(heap, slot))
            batch->slots[kept++] = slot;
    }
    batch->count = kept;
}

/* The owner's lock is held. */
static void drain_to_spans(struct thread_heap *owner, struct batch *batch)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        void *slot = batch->slots[i];
        struct unit *unit = unit_at(slot);
        struct thread_heap *present_owner = owner_of(slot);
        if (present_owner == owner)
            buffer_return_slot(owner, unit, unit_slot_state(unit, slot));
        else if (LIKELY(present_owner != NULL))
            batch->slots[kept++] = slot;
        else
            misuse_note_double_free(slot); /* its owner freed it as well, and the span is gone */
    }
    batch->count = kept;
}

void remote_drain(struct thread_heap *heap)
{
    struct batch *next;
    for (struct batch *batch = take_inbox(heap); batch != NULL; batch = next) {
        next = batch->next;
        drain_to_buffers(heap, batch);
        if (batch->count != 0) {
            lock_take(&heap->lock);
            drain_to_spans(heap, batch);
            lock_release(&heap->lock);
        }
        finish_batch(batch);
    }
}

void remote_drain_to_spans(struct thread_heap *owner)
{
    struct batch *next;
    for (struct batch *batch = take_inbox(owner); batch != NULL; batch = next) {
        next = batch->next;
        drain_to_spans(owner, batch);
        finish_batch(batch);
    }
}

void remote_forget_orphans(struct thread_heap *heap)
{
    struct batch *next;
    for (struct batch *batch = take_inbox(heap); batch != NULL; batch = next) {
        next = batch->next;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < batch->count; i++)
            if (!atomic_load_explicit(&owner_of(batch->slots[i])->orphaned, memory_order_relaxed))
                batch->slots[kept++] = batch->slots[i];
        batch->count = kept;
        finish_batch(batch);
    }
}

COLD static const char *verify_batch(const struct batch *batch)
{
    if (batch->count > BATCH_SLOTS)
        return "a batch holds more than it has room for";
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct unit *unit = heap_contains(batch->slots[i]) ? unit_at(batch->slots[i]) : NULL;
        if (unit == NULL || unit->kind != UNIT_SPAN)
            return "a batch holds what is no slot";
        struct slot_position position = unit_slot_position(unit, batch->slots[i]);
        if (!position.is_start || position.index >= unit->span->slot_count)
            return "a batch holds what is no slot";
        if (slot_is_allocated(slot_state_get(&unit->states[position.index])))
            return "a batch holds an allocated slot";
        if (bitmap_get(unit->span->free, position.index) &&
            !atomic_load_explicit(&unit->span->owner->orphaned, memory_order_relaxed))
            return "a batch holds a slot that its span offers";
    }
    return NULL;
}

COLD const char *remote_verify(const struct thread_heap *heap)
{
    const char *problem = NULL;
    for (int i = 0; i < OUTBOX_COUNT && problem == NULL; i++)
        if (heap->outboxes[i].batch != NULL)
            problem = verify_batch(heap->outboxes[i].batch);
    const struct batch *batch = atomic_load_explicit(&heap->inbox, memory_order_acquire);
    for (; batch != NULL && problem == NULL; batch = batch->next)
        problem = verify_batch(batch);
    return problem;
}

COLD size_t remote_count(const struct thread_heap *heap)
{
    size_t count = 0;
    for (int i = 0; i < OUTBOX_COUNT; i++)
        if (heap->outboxes[i].batch != NULL)
            count += heap->outboxes[i].batch->count;
    const struct batch *batch = atomic_load_explicit(&heap->inbox, memory_order_acquire);
    for (; batch != NULL; batch = batch->next)
        count += batch->count;
    return count;
}
