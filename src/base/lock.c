/*
 * base/lock: the slow half of a mutex in one word.
 *
 * Uses os. Locks: this is the lock.
 */
#include "base/lock.h"

#include "os/thread.h"

enum { SPIN_ROUNDS = 100 };

NOINLINE void lock_take_slowly(struct lock *lock)
{
    for (int round = 0; round < SPIN_ROUNDS; round++) {
        if (atomic_load_explicit(&lock->state, memory_order_relaxed) == 0 && lock_try(lock))
            return;
        lock_pause();
    }
    while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0)
        os_futex_wait((const uint32_t *)&lock->state, 2);
}

NOINLINE void lock_wake(struct lock *lock)
{
    os_futex_wake((const uint32_t *)&lock->state, 1);
}
