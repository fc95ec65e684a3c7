/*
 * base/lock: the slow half of a mutex in one word.
 *
 * Uses os. Locks: this is the lock.
 */
#include "base/lock.h"

#include "os/thread.h"

enum { SPIN_ROUNDS = 100 };

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

NOINLINE void lock_take_slowly(struct lock *lock)
{
    for (int round = 0; round < SPIN_ROUNDS; round++) {
        if (atomic_load_explicit(&lock->state, memory_order_relaxed) == 0 && lock_try(lock))
            return;
        pause_briefly();
    }
    while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0)
        os_futex_wait((const uint32_t *)&lock->state, 2);
}

NOINLINE void lock_wake(struct lock *lock)
{
    os_futex_wake((const uint32_t *)&lock->state, 1);
}
