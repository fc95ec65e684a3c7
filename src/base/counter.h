/*
 * base/counter: counts that several threads add to, and peaks.
 *
 * While there is one thread only, plain arithmetic is as good, and takes a tenth of the time. A collector's thread, which frees
 * blocks, counts as one.
 */
#ifndef BASE_COUNTER_H
#define BASE_COUNTER_H

#include "base/compiler.h"
#include "os/thread.h"

#include <stdatomic.h>
#include <stdint.h>

/* Returns the sum. */
static inline uint64_t counter_add(_Atomic uint64_t *count, uint64_t value)
{
    if (LIKELY(os_is_alone())) {
        uint64_t sum = atomic_load_explicit(count, memory_order_relaxed) + value;
        atomic_store_explicit(count, sum, memory_order_relaxed);
        return sum;
    }
    return atomic_fetch_add_explicit(count, value, memory_order_relaxed) + value;
}

static inline void counter_raise_to(_Atomic uint64_t *peak, uint64_t value)
{
    uint64_t before = atomic_load_explicit(peak, memory_order_relaxed);
    while (UNLIKELY(before < value) &&
           !atomic_compare_exchange_weak_explicit(peak, &before, value, memory_order_relaxed, memory_order_relaxed))
        continue;
}

#endif
