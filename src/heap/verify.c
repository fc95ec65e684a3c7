/*
 * heap/verify: walks every table of the heap and checks every invariant.
 *
 * Locks: all heaps' locks, then the run lock.
 */
#include "heap/verify.h"

#include "base/bits.h"
#include "base/image.h"
#include "heap/limbo.h"
#include "heap/layout.h"
#include "heap/remote.h"
#include "heap/runs.h"
#include "heap/span.h"
#include "heap/thread.h"

#include <stdbool.h>

/* Free slots that no span offers must all be found in buffers and batches. */
struct totals {
    size_t withheld; /* free by state, bit clear */
    size_t waiting;  /* in buffers, outboxes, inboxes */
    size_t listed;   /* spans that say so, less those that lists lead to */
    bool orphans;    /* after a fork some may be lost to a thread that was in the middle of something */
    bool busy;       /* other threads run: what they change without a lock can't be checked */
    const char *problem;
};

static const char *check_slots(const struct span *span, struct totals *totals)
{
    size_t offered = 0;
    for (uint32_t i = 0; i < span->slot_count; i++) {
        uint8_t state = slot_state_get(&span->states[i]);
        bool is_held = slot_is_held(state) && options_now()->quarantine;
        bool is_free = !slot_is_allocated(state) && !is_held;
        bool bit = bitmap_get(span->free, i);
        if (is_free && slot_birth(state) != 0)
            return "a free slot has a birth";
        if (is_held && slot_birth(state) > LIMBO_MARKS)
            return "a held slot has a birth";
        if (bit && is_held)
            return "a span offers a held slot";
        if (bit && !is_free)
            return "a span offers an allocated slot";
        if (bit && i / WORD_BITS < span->first_free_word)
            return "a span offers a slot below its first free word";
        offered += bit;
        totals->withheld += is_free && !bit && state != SLOT_RETIRED;
    }
    for (size_t i = span->slot_count; i < words_for(span->slot_count) * WORD_BITS; i++)
        if (bitmap_get(span->free, i))
            return "a span offers a slot it does not have";
    return offered == span->free_count ? NULL : "a span's count of free slots is wrong";
}

static const char *check_span(const struct span *span, struct totals *totals)
{
    if (span->slot_bytes != class_slot_bytes[span->class_index])
        return "a span's slot size is not its class's";
    if (span->owner == NULL)
        return "a span has no owner";
    for (size_t i = 0; i < span->unit_count; i++) {
        const struct unit *unit = &heap_layout.units[span->first_unit + i];
        if (unit->span != span || unit->kind != UNIT_SPAN || unit->start != span->start ||
            unit->states != span->states || atomic_load(&unit->owner) != span->owner)
            return "a unit's descriptor differs from its span";
        if (bitmap_get(layout_unit_maps()->free, span->first_unit + i))
            return "a span's unit is free";
    }
    if (atomic_load(&span->owner->orphaned))
        return NULL; /* rebuilt before use */
    /* A thread may be about to list a span that it has just made. */
    bool is_new = totals->busy && span_is_empty(span);
    if (!span->listed && span->free_count != 0 && !is_new)
        return "a span with free slots is not listed";
    totals->listed += span->listed;
    return check_slots(span, totals);
}

/* Of one that is being made anew nothing can be said. */
static bool guarded_is_sound(const struct span *span)
{
    uintptr_t run_bytes = span->unit_count << UNIT_SHIFT;
    uintptr_t offset = span->start - unit_start(span->first_unit);
    return offset < run_bytes && span->slot_bytes <= run_bytes - offset && span->guarded_bytes <= span->slot_bytes;
}

static const char *check_large(const struct span *span)
{
    uint8_t state = atomic_load_explicit(&heap_layout.units[span->first_unit].large_state, memory_order_relaxed);
    if (span_is_guarded(span) ? slot_is_allocated(state) && !guarded_is_sound(span)
                              : span->start != unit_start(span->first_unit) || span->slot_bytes != span->unit_count << UNIT_SHIFT)
        return "a large block's extent is wrong";
    for (size_t i = 0; i < span->unit_count; i++) {
        if (bitmap_get(layout_unit_maps()->free, span->first_unit + i))
            return "a large block's unit is free";
        if (span_at((void *)unit_start(span->first_unit + i)) != span)
            return "a large block's unit leads elsewhere";
    }
    return NULL;
}

static const char *check_spans(struct totals *totals)
{
    const char *problem = NULL;
    for (struct span *span = span_from(0); span != NULL && problem == NULL;
         span = span_from(span->first_unit + span->unit_count))
        problem = heap_layout.units[span->first_unit].kind == UNIT_LARGE ? check_large(span)
                                                                         : check_span(span, totals);
    return problem;
}

static const char *check_list(const struct thread_heap *heap, uint32_t class_index, struct totals *totals)
{
    const struct span *first = heap->listed[class_index];
    const struct span *span = first;
    if (span == NULL)
        return NULL;
    do {
        if (span->owner != heap || span->class_index != class_index || !span->listed)
            return "a heap's list holds a span that is not its own";
        if (span->free_count == 0)
            return "a heap's list holds a full span";
        if (span->next == NULL || span->next->previous != span)
            return "a heap's list is broken";
        totals->listed--;
        span = span->next;
    } while (span != first);
    return NULL;
}

static const char *check_buffer(const struct thread_heap *heap, uint32_t class_index)
{
    const struct buffer *buffer = &heap->buffers[class_index];
    if (buffer->top < buffer->base || buffer->top > buffer->limit)
        return "a buffer's top is outside it";
    for (const struct entry *entry = buffer->base; entry < buffer->top; entry++) {
        const struct unit *unit = unit_at(entry->slot);
        if (unit->kind != UNIT_SPAN || atomic_load(&unit->owner) != heap || unit->class_index != class_index)
            return "a buffer holds a slot of another heap or class";
        size_t index = unit_slot_position(unit, entry->slot).index;
        if (entry->state != unit->states + index || slot_is_allocated(slot_state_get(entry->state)))
            return "a buffer holds an allocated slot";
        if (bitmap_get(unit->span->free, index))
            return "a buffer holds a slot that its span offers";
    }
    return NULL;
}

/* Adds their units to the sum, and ends where it exceeds what the heap says: so a list that is a ring has an end as well. */
static const char *check_kept_list(const struct thread_heap *heap, size_t unit_count, size_t *sum)
{
    for (const struct unit *unit = heap->kept[unit_count]; unit != NULL; unit = unit->next_kept) {
        if (unit->kind != UNIT_LARGE || unit->keepable_units != unit_count || unit != &heap_layout.units[unit->span->first_unit])
            return "a kept block is in the wrong list";
        if (atomic_load_explicit(&unit->large_state, memory_order_relaxed) != SLOT_FREE)
            return "a kept block is not free";
        *sum += unit_count;
        if (*sum > heap->kept_units)
            break;
    }
    return NULL;
}

static const char *check_kept(const struct thread_heap *heap)
{
    const char *problem = NULL;
    size_t sum = 0;
    for (size_t i = 0; i <= KEPT_UNITS_MAX && problem == NULL; i++) {
        if ((heap->kept[i] != NULL) != ((heap->kept_counts >> i & 1) != 0))
            return "a heap's bit for kept blocks is wrong";
        problem = check_kept_list(heap, i, &sum);
    }
    return problem == NULL && sum != heap->kept_units ? "a heap's count of kept units is wrong" : problem;
}

static void check_heap(struct thread_heap *heap, void *context)
{
    struct totals *totals = context;
    if (atomic_load(&heap->orphaned))
        totals->orphans = true;
    if (totals->problem == NULL && !totals->busy)
        totals->problem = remote_verify(heap);
    if (!totals->busy)
        totals->waiting += remote_count(heap);
    if (totals->problem == NULL && !totals->busy && !atomic_load(&heap->orphaned))
        totals->problem = check_kept(heap);
    for (uint32_t i = 0; i < CLASS_COUNT && totals->problem == NULL && !atomic_load(&heap->orphaned); i++) {
        totals->problem = check_list(heap, i, totals);
        if (totals->busy)
            continue;
        if (totals->problem == NULL)
            totals->problem = check_buffer(heap, i);
        totals->waiting += (size_t)(heap->buffers[i].top - heap->buffers[i].base);
    }
}

static void look_for_threads(struct thread_heap *heap, void *context)
{
    struct totals *totals = context;
    totals->busy |= heap != heap_self && !atomic_load(&heap->parked);
}

static const char *check_all(bool are_quiet)
{
    struct totals totals = {0};
    if (!are_quiet)
        thread_heap_each(look_for_threads, &totals);
    const char *problem = run_verify();
    if (problem == NULL)
        problem = check_spans(&totals);
    if (problem != NULL)
        return problem;
    thread_heap_each(check_heap, &totals);
    if (totals.problem != NULL)
        return totals.problem;
    if (totals.listed != 0 && !totals.busy) /* one that is being adopted is in a ring of its own for a moment */
        return "a span says that it is listed, but no list leads to it";
    if (totals.busy)
        return NULL;
    if (totals.waiting > totals.withheld && !totals.orphans)
        return "a free slot waits in two places";
    bool has_forked = image_now->fork_count != 0;
    return totals.waiting < totals.withheld && !has_forked ? "a free slot is nowhere" : NULL;
}

const char *heap_verify(bool are_quiet)
{
    if (image_now == NULL)
        return NULL;
    thread_heap_lock_all();
    run_lock();
    const char *problem = check_all(are_quiet);
    run_unlock();
    thread_heap_unlock_all();
    return problem;
}
