/*
 * heap/allocate: the slow halves of allocating and freeing.
 *
 * Each starts over from the beginning: a fast path came here for one of several reasons, and need not say which.
 *
 * Locks: none of its own.
 */
#include "heap/allocate.h"

#include "base/bits.h"
#include "base/image.h"
#include "heap/buffer.h"
#include "heap/collector.h"
#include "heap/foreign.h"
#include "heap/guard.h"
#include "heap/kept.h"
#include "heap/limbo.h"
#include "heap/large.h"
#include "heap/lookup.h"
#include "heap/misuse.h"
#include "heap/note.h"
#include "heap/recorder.h"
#include "heap/remote.h"
#include "heap/runs.h"
#include "heap/span.h"

#include <string.h>

/* ---- allocating ---- */

/* An entry of the class from the calling thread's buffer, which is filled if need be. */
static struct entry take_entry(struct thread_heap *heap, uint32_t class_index)
{
    struct buffer *buffer = &heap->buffers[class_index];
    if (buffer->top == buffer->base && buffer_refill(heap, class_index) != 0)
        return (struct entry){NULL, NULL};
    return *--buffer->top;
}

/* The last resort before NULL: what threads keep at hand goes back. */
COLD static void give_back_everything(struct thread_heap *heap)
{
    heap_collector_exhausted();
    guard_give_back();
    thread_heap_flush(heap);
    thread_heap_flush_parked();
}

/* With `zeroed` a slot that holds old data is cleared; a fresh one reads as zero already. */
static void *allocate_slot(uint32_t class_index, size_t size_bytes, enum slot_kind kind, bool zeroed)
{
    struct thread_heap *heap = thread_heap_get();
    if (heap == NULL)
        return NULL;
    heap->wanted_class = (uint8_t)class_exact(size_bytes);
    heap_collector_allocating();
    struct entry entry = take_entry(heap, class_index);
    if (UNLIKELY(entry.slot == NULL)) {
        give_back_everything(heap);
        entry = take_entry(heap, class_index);
    }
    if (entry.slot != NULL) {
        if (zeroed && slot_state_get(entry.state) != SLOT_FRESH)
            memset(entry.slot, 0, class_slot_bytes[class_index]);
        slot_state_set(entry.state, heap->buffers[class_index].allocated_state | (uint8_t)kind);
    }
    thread_heap_done(heap);
    return entry.slot;
}

static void *allocate_large(size_t size_bytes, size_t align_bytes, bool zeroed)
{
    if (size_bytes > BLOCK_BYTES_MAX)
        return NULL;
    struct thread_heap *heap = thread_heap_get(); /* starts gcalloc */
    if (heap == NULL)
        return NULL;
    heap_collector_allocating();
    void *block = align_bytes <= UNIT_BYTES ? kept_take(heap, size_bytes, zeroed) : NULL;
    if (block == NULL && kept_any(heap))
        block = large_allocate_dirty(size_bytes, align_bytes, zeroed);
    if (block == NULL) {
        kept_make_room(heap, large_units(size_bytes));
        heap_collector_growing(size_bytes >> UNIT_SHIFT);
        block = large_allocate(size_bytes, align_bytes, zeroed);
    }
    if (UNLIKELY(block == NULL) && size_bytes >> UNIT_SHIFT < image_now->unit_limit && size_bytes >> UNIT_SHIFT < run_limit()) {
        give_back_everything(heap);
        block = large_allocate(size_bytes, align_bytes, zeroed);
    }
    thread_heap_done(heap);
    return block;
}

COLD void *heap_allocate_large(size_t size_bytes)
{
    return heap_recorded(allocate_large(size_bytes, 1, class_rule.zeroes), size_bytes);
}

static size_t at_least_one(size_t size_bytes)
{
    return size_bytes + (size_bytes == 0);
}

/*
 * Before a slow path goes by the size. The first call of all starts gcalloc, as another thread's may do right now, and with
 * a collector sizes mean something else from then on.
 */
static void start_if_first(void)
{
    if (UNLIKELY(thread_heap_peek() == NULL))
        thread_heap_start();
}

static void *allocate_any(size_t size_bytes)
{
    if (!class_exists(size_bytes))
        return allocate_large(size_bytes, 1, class_rule.zeroes);
    uint32_t class_index = class_of(size_bytes);
    struct buffer *buffer = &heap_self->buffers[class_index];
    if (LIKELY(buffer->top != buffer->base && !class_rule.zeroes))
        return buffer_take(buffer);
    return allocate_slot(class_index, size_bytes, SLOT_ALLOCATED, class_rule.zeroes);
}

NOINLINE void *heap_allocate_slowly(size_t size_bytes)
{
    start_if_first();
    void *guarded = guard_take(size_bytes, BLOCK_ALIGNMENT);
    return guarded != NULL ? guarded : heap_recorded(allocate_any(at_least_one(size_bytes)), size_bytes);
}

/* The compiler's own memset is a handful of stores for what programs calloc most. */
static void *take_zeroed(struct buffer *buffer, size_t size_bytes)
{
    uint8_t state = slot_state_get(buffer->top[-1].state);
    void *slot = buffer_take(buffer);
    if (state != SLOT_FRESH)
        memset(slot, 0, size_bytes);
    return slot;
}

NOINLINE static void *allocate_zeroed_slowly(size_t size_bytes)
{
    start_if_first();
    void *block = guard_take(size_bytes, BLOCK_ALIGNMENT);
    if (UNLIKELY(block != NULL))
        return block;
    block = class_exists(size_bytes) ? allocate_slot(class_of(size_bytes), size_bytes, SLOT_ALLOCATED, true)
                                     : allocate_large(size_bytes, 1, true);
    return heap_recorded(block, size_bytes);
}

/* Only size_bytes are cleared; what is behind them in the slot is nobody's. */
void *heap_allocate_zeroed(size_t size_bytes)
{
    size_bytes = at_least_one(size_bytes);
    if (!class_is_quick(size_bytes))
        return allocate_zeroed_slowly(size_bytes);
    struct buffer *buffer = buffer_ready(class_of(size_bytes));
    return LIKELY(buffer != NULL) ? take_zeroed(buffer, size_bytes) : allocate_zeroed_slowly(size_bytes);
}

static void *allocate_large_leaf(size_t size_bytes)
{
    void *block = allocate_large(size_bytes, 1, class_rule.zeroes);
    if (block != NULL)
        large_set_leaf(block);
    return block;
}

void *heap_allocate_leaf(size_t size_bytes)
{
    start_if_first();
    size_bytes = at_least_one(size_bytes);
    void *guarded = guard_take(size_bytes, BLOCK_ALIGNMENT);
    if (UNLIKELY(guarded != NULL)) {
        large_set_leaf(guarded);
        return guarded;
    }
    void *block = class_exists(size_bytes) ? allocate_slot(class_of(size_bytes), size_bytes, SLOT_LEAF, class_rule.zeroes)
                                           : allocate_large_leaf(size_bytes);
    return heap_recorded(block, size_bytes);
}

/*
 * Spans start at a multiple of UNIT_BYTES, so a slot size that is a multiple of the alignment gives aligned slots. Every
 * alignment up to UNIT_BYTES finds one: the largest class is a multiple of them all.
 */
static ALWAYS_INLINE uint32_t aligned_class(size_t size_bytes, size_t align_bytes)
{
    /* No smaller class has slots that are a multiple of the alignment, and mostly this one has. */
    size_t least_bytes = round_up(size_bytes + 1 - class_rule.bias, align_bytes);
    uint32_t class_index = class_of(least_bytes - 1 + class_rule.bias);
    while ((class_slot_bytes[class_index] & (align_bytes - 1)) != 0)
        class_index++;
    return class_index;
}

NOINLINE static void *allocate_aligned_slowly(size_t size_bytes, size_t align_bytes)
{
    start_if_first();
    void *guarded = guard_take(size_bytes, align_bytes);
    if (UNLIKELY(guarded != NULL))
        return guarded;
    bool is_large = !class_exists(size_bytes) || align_bytes > UNIT_BYTES;
    void *block = is_large ? allocate_large(size_bytes, align_bytes, class_rule.zeroes)
                           : allocate_slot(aligned_class(size_bytes, align_bytes), size_bytes, SLOT_ALLOCATED, class_rule.zeroes);
    return heap_recorded(block, size_bytes);
}

void *heap_allocate_aligned(size_t size_bytes, size_t align_bytes)
{
    size_bytes = at_least_one(size_bytes);
    if (align_bytes <= BLOCK_ALIGNMENT)
        return heap_allocate(size_bytes);
    if (!class_is_quick(size_bytes) || align_bytes > UNIT_BYTES)
        return allocate_aligned_slowly(size_bytes, align_bytes);
    struct buffer *buffer = buffer_ready(aligned_class(size_bytes, align_bytes));
    return LIKELY(buffer != NULL) ? buffer_take(buffer) : allocate_aligned_slowly(size_bytes, align_bytes);
}

/* ---- freeing ---- */

static void push_local(struct thread_heap *heap, const struct unit *unit, void *slot, uint8_t *state)
{
    struct buffer *buffer = &heap->buffers[unit->class_index];
    if (buffer->top == buffer->limit)
        buffer_make_room(heap, unit->class_index);
    if (UNLIKELY(buffer->top == buffer->limit)) { /* no memory even for a small buffer */
        lock_take(&heap->lock);
        buffer_return_slot(heap, unit, state);
        lock_release(&heap->lock);
        return;
    }
    buffer_push(buffer, slot, state);
}

/*
 * The slot of an owner that vanished in a fork is only marked: its spans are rebuilt from the states before anybody uses
 * them. The mark comes after the look at `orphaned`; the other way round a rebuild in between could offer the slot and
 * we as well.
 */
static void free_slot(void *slot, struct unit *unit, uint8_t *state, void *caller)
{
    heap_record_end(slot);
    struct thread_heap *heap = thread_heap_get();
    struct thread_heap *owner = atomic_load_explicit(&unit->owner, memory_order_relaxed);
    bool orphaned = atomic_load_explicit(&owner->orphaned, memory_order_acquire);
    if (!slot_state_release(state))
        misuse_double_free(slot, unit->slot_bytes, caller);
    else if (orphaned)
        ;
    else if (heap == NULL)
        remote_return(slot);
    else if (owner == heap)
        push_local(heap, unit, slot, state);
    else
        remote_free(heap, owner, slot, unit->slot_bytes);
    thread_heap_done(heap);
}

/* A slot whose generations are used up is not handed out again. */
COLD static void free_noted(void *slot, struct unit *unit, uint8_t *state, void *caller)
{
    struct block block;
    if (span_is_guard_slot(unit->span, slot_state_get(state)))
        misuse_invalid_free(slot, caller);
    else if (slot_state_get(state) == SLOT_RETIRED)
        misuse_double_free(slot, unit->slot_bytes, caller);
    else if (lookup_block(slot, &block) && heap_note_freeing(&block, caller)) {
        if (note_end(&block))
            free_slot(slot, unit, state, caller);
        else
            slot_state_set(state, SLOT_RETIRED);
    }
}

static void free_in_span(void *pointer, struct unit *unit, void *caller)
{
    struct slot_position position = unit_slot_position(unit, pointer);
    if (!position.is_start || position.index >= unit->span->slot_count) {
        misuse_invalid_free(pointer, caller);
        return;
    }
    uint8_t *state = unit->states + position.index;
    uint8_t value = slot_state_get(state);
    if (UNLIKELY(slot_is_noted(value)))
        free_noted(pointer, unit, state, caller);
    else if (LIKELY(slot_is_allocated(value)))
        free_slot(pointer, unit, state, caller);
    else if (value == SLOT_FRESH)
        misuse_invalid_free(pointer, caller);
    else
        misuse_double_free(pointer, unit->slot_bytes, caller);
}

static void free_large(void *pointer, struct unit *unit, void *caller)
{
    if ((uintptr_t)pointer == unit->start && unit->use == USE_MALLOC)
        heap_record_end(pointer);
    large_free(thread_heap_peek(), pointer, unit, caller);
}

NOINLINE void heap_free_slowly(void *pointer)
{
    void *caller = __builtin_return_address(0);
    if (pointer == NULL)
        return;
    if (!heap_contains(pointer)) {
        foreign_free(pointer, caller);
        return;
    }
    if (UNLIKELY(heap_layout.holds_freed)) {
        limbo_free(pointer, caller);
        return;
    }
    struct unit *unit = unit_at(pointer);
    if (unit->kind == UNIT_SPAN)
        free_in_span(pointer, unit, caller);
    else if (unit->kind == UNIT_LARGE)
        free_large(pointer, unit, caller);
    else
        misuse_free_of_free_unit(pointer, unit, caller);
}

/* The usual case of another thread's block, quickly; everything else starts over in heap_free_slowly(). */
NOINLINE void heap_free_elsewhere(void *pointer)
{
    struct unit *unit = unit_at(pointer);
    struct thread_heap *owner = atomic_load_explicit(&unit->owner, memory_order_relaxed);
    struct thread_heap *heap = heap_self;
    if (unit->kind != UNIT_SPAN || heap == &thread_heap_none ||
        atomic_load_explicit(&heap_layout.has_orphans, memory_order_acquire))
        return heap_free_slowly(pointer);
    struct slot_position position = unit_slot_position(unit, pointer);
    uint8_t *state = unit->states + position.index;
    if (!position.is_start || !slot_is_plain(slot_state_get(state)) || !slot_state_release(state))
        return heap_free_slowly(pointer);
    if (!remote_free_fast(heap, owner, pointer, unit->slot_bytes))
        remote_free(heap, owner, pointer, unit->slot_bytes);
}
