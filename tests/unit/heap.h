/*
 * unit/heap: what every test of the heap says over and over. Included by Check programs only.
 *
 * Check runs each test in a process of its own, so each starts with a heap that has never been used. In threads and in
 * children support/require.h takes the place of Check's assertions.
 */
#ifndef TESTS_UNIT_HEAP_H
#define TESTS_UNIT_HEAP_H

#include "base/image.h"
#include "heap/allocate.h"
#include "heap/runs.h"
#include "heap/statistics.h"
#include "heap/thread.h"
#include "heap/verify.h"

#include <check.h>
#include <stdint.h>

static inline void expect_sound_heap(void)
{
    const char *problem = heap_verify(true);
    ck_assert_msg(problem == NULL, "the heap is not sound: %s", problem);
}

static inline void start_heap(void)
{
    ck_assert_ptr_nonnull(thread_heap_get());
}

static inline void *allocate(size_t size_bytes)
{
    void *block = heap_allocate(size_bytes);
    ck_assert_ptr_nonnull(block);
    ck_assert_uint_eq((uintptr_t)block % BLOCK_ALIGNMENT, 0);
    return block;
}

static inline void put_units(size_t first, size_t count)
{
    run_lock();
    run_put(first, count);
    run_unlock();
}

static inline void set_dirty(size_t first, size_t count)
{
    run_lock();
    run_set_dirty(first, count, true);
    run_unlock();
}

static inline size_t units_taken(void)
{
    return atomic_load(&gca_image->units_taken);
}

static inline size_t units_dirty(void)
{
    return atomic_load(&gca_image->units_dirty);
}

/* Runs of units that are no blocks of malloc's. */
static inline size_t chunks_of_heap(void)
{
    gca_heap_stats stats;
    run_lock();
    ck_assert_int_eq(statistics_collect(image_now, &stats), 0);
    run_unlock();
    return stats.chunks;
}

#endif
