/*
 * heap/walk: every allocated block, in address order; and what is not allocated, back to the kernel.
 *
 * Locks: the run lock during a walk.
 */
#include "heap/walk.h"

#include "base/image.h"
#include "heap/misuse.h"
#include "heap/runs.h"
#include "heap/span.h"
#include "heap/thread.h"

/* Visits the span's blocks. Returns false when visit did. */
static bool walk_span(const struct span *span, heap_visit *visit, void *context, size_t *count)
{
    const struct unit *first = &heap_layout.units[span->first_unit];
    if (first->kind == UNIT_LARGE) {
        if (first->use != USE_MALLOC || !slot_is_allocated(atomic_load_explicit(&first->large_state, memory_order_relaxed)))
            return true;
        ++*count;
        return visit((void *)span->start, span->slot_bytes, context);
    }
    for (uint32_t i = 0; i < span->slot_count; i++) {
        if (!slot_is_allocated(slot_state_get(&span->states[i])))
            continue;
        ++*count;
        if (!visit((void *)span_slot(span, i), span->slot_bytes, context))
            return false;
    }
    return true;
}

size_t heap_walk(heap_visit *visit, void *context)
{
    size_t count = 0;
    struct thread_heap *heap = thread_heap_get();
    if (heap == NULL)
        return 0;
    thread_heap_done(heap);
    run_lock();
    struct span *span = span_from(0);
    while (span != NULL && walk_span(span, visit, context, &count))
        span = span_from(span->first_unit + span->unit_count);
    run_unlock();
    return count;
}

/* What threads had at hand may exceed the budget, and be purged, as soon as it comes back: all that is purged meanwhile counts. */
size_t heap_trim(void)
{
    struct thread_heap *heap = thread_heap_get();
    if (heap == NULL)
        return 0;
    uint64_t before = atomic_load_explicit(&image_now->purged_bytes, memory_order_relaxed);
    thread_heap_flush(heap);
    thread_heap_done(heap);
    thread_heap_flush_parked();
    misuse_report_noted();
    run_purge_all();
    return atomic_load_explicit(&image_now->purged_bytes, memory_order_relaxed) - before;
}
