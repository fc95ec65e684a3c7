/*
 * heap/kept: a few of the smaller large blocks that a thread has freed, kept as they are.
 *
 * Last freed, first reused. The lists run through the blocks' first descriptors, which free() and malloc() of such a block touch anyway;
 * its record stays cold. What all threads keep counts as taken, so the bound is a share of that; and what small programs may keep dirty.
 *
 * Locks: none of its own.
 */
#include "heap/kept.h"

#include "base/bits.h"
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
    UNITS_MOST = 256,
    UNITS_SHARE = 8,     /* of the heap, between these */
    MANY_UNITS_MOST = 8, /* of larger ones only one is kept */
    SLACK_SHARE = 8,     /* a block may be larger than needed by a part in so many */
    MISSED_MAX = 16,     /* so many allocations in succession */
    LOOK_EVERY = 32,     /* allocations served: free pages elsewhere may have to go back */
};

_Static_assert((int)KEPT_UNITS_MAX < (int)WORD_BITS, "a bit for each count");

static size_t units_allowed(void)
{
    size_t share = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed) / UNITS_SHARE;
    return share < UNITS_LEAST ? UNITS_LEAST : share > UNITS_MOST ? UNITS_MOST : share;
}

/* A single one always has room: a program may take and free the same over and over. */
static bool has_room(const struct thread_heap *heap, size_t unit_count)
{
    return heap->kept_units == 0 || (unit_count <= MANY_UNITS_MOST && heap->kept_units + unit_count <= units_allowed());
}

static void push(struct thread_heap *heap, struct unit *first, size_t unit_count)
{
    first->next_kept = heap->kept[unit_count];
    heap->kept[unit_count] = first;
    heap->kept_counts |= (uint64_t)1 << unit_count;
    heap->kept_units += (uint32_t)unit_count;
}

/* The list is not empty. */
static struct unit *pop(struct thread_heap *heap, size_t unit_count)
{
    struct unit *first = heap->kept[unit_count];
    heap->kept[unit_count] = first->next_kept;
    if (first->next_kept == NULL)
        heap->kept_counts &= ~((uint64_t)1 << unit_count);
    first->next_kept = NULL;
    heap->kept_units -= (uint32_t)unit_count;
    return first;
}

/* The smallest block of between `least` and `most` units, or NULL. */
static struct unit *pop_between(struct thread_heap *heap, size_t least, size_t most)
{
    if (least > KEPT_UNITS_MAX)
        return NULL;
    uint64_t fitting = heap->kept_counts >> least << least;
    if (fitting == 0 || bit_lowest(fitting) > most)
        return NULL;
    return pop(heap, bit_lowest(fitting));
}

/* When nothing of what is kept was wanted for a while it makes room for what may be; and a heap that has shrunk keeps less. */
static void make_way(struct thread_heap *heap)
{
    if (heap->kept_missed >= MISSED_MAX || heap->kept_units > 2 * units_allowed())
        kept_flush(heap);
}

bool kept_add(struct thread_heap *heap, struct unit *first)
{
    size_t unit_count = first->keepable_units;
    if (heap == NULL || unit_count == 0)
        return false;
    if (!has_room(heap, unit_count))
        make_way(heap);
    bool is_kept = has_room(heap, unit_count);
    if (is_kept)
        push(heap, first, unit_count);
    return is_kept;
}

void *kept_take(struct thread_heap *heap, size_t size_bytes, bool zeroed)
{
    size_t unit_count = large_units(size_bytes);
    struct unit *first = pop_between(heap, unit_count, unit_count + unit_count / SLACK_SHARE);
    heap->kept_missed = first != NULL ? 0 : heap->kept_missed + kept_any(heap);
    if (first == NULL)
        return NULL;
    if (++heap->kept_served % LOOK_EVERY == 0)
        run_purge_due();
    void *block = (void *)first->start;
    if (zeroed)
        memset(block, 0, class_rule.zeroes ? first->slot_bytes : size_bytes);
    if (UNLIKELY(first->use != USE_MALLOC))
        large_set_use(block, USE_MALLOC);
    HOLD(block);
    atomic_store_explicit(&first->large_state, birth_state_now(), memory_order_relaxed);
    return block;
}

void kept_make_room(struct thread_heap *heap, size_t unit_count)
{
    struct unit *first = pop_between(heap, unit_count, KEPT_UNITS_MAX);
    if (first != NULL)
        large_destroy(first->span);
    else
        kept_flush(heap);
}

void kept_flush(struct thread_heap *heap)
{
    heap->kept_missed = 0;
    while (heap->kept_counts != 0)
        large_destroy(pop(heap, bit_lowest(heap->kept_counts))->span);
}

/* The list and the descriptor may be of different moments: the thread ran on while the kernel copied its pages. */
static bool is_kept(const struct unit *first, size_t unit_count)
{
    return first->kind == UNIT_LARGE && first->span != NULL && first->keepable_units == unit_count &&
           first == &heap_layout.units[first->span->first_unit] && first->span->unit_count == unit_count &&
           atomic_load_explicit(&first->large_state, memory_order_relaxed) == SLOT_FREE;
}

/* A block that is given up is none any more, so that no list brings it here twice, not even one that is a ring. */
static void flush_list(struct unit *first, size_t unit_count)
{
    while (first != NULL && is_kept(first, unit_count)) {
        struct unit *next = first->next_kept;
        first->next_kept = NULL;
        large_destroy(first->span);
        first = next;
    }
}

void kept_flush_orphan(struct thread_heap *heap)
{
    for (size_t i = 0; i <= KEPT_UNITS_MAX; i++)
        flush_list(heap->kept[i], i);
    memset(heap->kept, 0, sizeof heap->kept);
    heap->kept_counts = 0;
    heap->kept_units = 0;
}
