/*
 * heap/kept: a few of the smaller large blocks that a thread has freed, kept as they are.
 *
 * Last freed, first reused. What all threads keep counts as taken, so the bound is a share of that.
 *
 * Locks: none of its own.
 */
#include "heap/kept.h"

#include "base/image.h"
#include "heap/birth.h"
#include "heap/large.h"
#include "heap/runs.h"
#include "heap/span.h"
#include "heap/thread.h"
#include "heap/unit.h"

#include <string.h>

enum {
    UNITS_LEAST = 20, /* may be kept in any case */
    UNITS_MOST = 64,
    UNITS_SHARE = 16, /* of the heap, between these */
};

static size_t units_allowed(void)
{
    size_t share = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed) / UNITS_SHARE;
    return share < UNITS_LEAST ? UNITS_LEAST : share > UNITS_MOST ? UNITS_MOST : share;
}

bool kept_add(struct thread_heap *heap, struct span *span)
{
    if (heap == NULL || span->unit_count > KEPT_UNITS_MAX || heap->kept_units + span->unit_count > units_allowed())
        return false;
    struct span **first = &heap->kept[span->unit_count];
    span->next = *first;
    *first = span;
    heap->kept_units += span->unit_count;
    return true;
}

static struct span *pop(struct thread_heap *heap, size_t unit_count)
{
    struct span *span = heap->kept[unit_count];
    if (span != NULL) {
        heap->kept[unit_count] = span->next;
        heap->kept_units -= unit_count;
    }
    return span;
}

void *kept_take(struct thread_heap *heap, size_t size_bytes, bool zeroed)
{
    size_t unit_count = large_units(size_bytes);
    struct span *span = unit_count <= KEPT_UNITS_MAX ? pop(heap, unit_count) : NULL;
    if (span == NULL)
        return NULL;
    void *block = (void *)span->start;
    if (zeroed)
        memset(block, 0, class_rule.zeroes ? span->slot_bytes : size_bytes);
    struct unit *first = &heap_layout.units[span->first_unit];
    if (UNLIKELY(first->use != USE_MALLOC))
        large_set_use(block, USE_MALLOC);
    HOLD(block);
    atomic_store_explicit(&first->large_state, birth_state_now(), memory_order_relaxed);
    return block;
}

/* The smallest block that has as many units, or NULL. */
static struct span *pop_larger(struct thread_heap *heap, size_t unit_count)
{
    struct span *span = NULL;
    for (size_t i = unit_count; i <= KEPT_UNITS_MAX && span == NULL; i++)
        span = pop(heap, i);
    return span;
}

void kept_make_room(struct thread_heap *heap, size_t unit_count)
{
    if (heap->kept_units < unit_count || run_dirty_count() >= unit_count)
        return;
    struct span *span = pop_larger(heap, unit_count);
    if (span != NULL)
        large_destroy(span);
    else if (unit_count > KEPT_UNITS_MAX)
        kept_flush(heap);
}

void kept_flush(struct thread_heap *heap)
{
    struct span *span;
    for (size_t i = 1; i <= KEPT_UNITS_MAX; i++)
        while ((span = pop(heap, i)) != NULL)
            large_destroy(span);
}
