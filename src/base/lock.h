/*
 * base/lock: a mutex in one word.
 *
 * Uncontended it is one compare-and-swap and one exchange; it spins a little, then sleeps. Not recursive. Lock order,
 * outermost first: parked heaps, one thread heap, the unit map, metadata.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct lock {
    _Atomic uint32_t state; /* 0 free, 1 held, 2 held and somebody sleeps */
};

void lock_take_slowly(struct lock *lock);
void lock_wake(struct lock *lock);

/* Between two looks at what another thread is about to change. */
static inline void lock_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

static inline bool lock_try(struct lock *lock)
{
    uint32_t expected = 0;
    return atomic_compare_exchange_strong_explicit(&lock->state, &expected, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

static inline void lock_take(struct lock *lock)
{
    if (UNLIKELY(!lock_try(lock)))
        lock_take_slowly(lock);
}

static inline void lock_release(struct lock *lock)
{
    if (UNLIKELY(atomic_exchange_explicit(&lock->state, 0, memory_order_release) == 2))
        lock_wake(lock);
}

/* In the child of a fork nobody else holds or awaits anything. */
static inline void lock_reset(struct lock *lock)
{
    atomic_store_explicit(&lock->state, 0, memory_order_relaxed);
}

#endif
