/*
 * heap/large_lock: the lock under which large blocks move, and lose access to their pages.
 *
 * While a block moves, no table leads to its contents. A collector must not look at that moment, so with one around
 * blocks move under a lock that heap_lock_all() takes as well.
 */
#include "base/compiler.h"
#include "base/lock.h"
#include "heap/large.h"

#include <stdatomic.h>

static struct lock moving;
static _Atomic uint32_t waiting_count;

void large_lock(void)
{
    if (LIKELY(lock_try(&moving)))
        return;
    atomic_fetch_add_explicit(&waiting_count, 1, memory_order_relaxed);
    lock_take(&moving);
    atomic_fetch_sub_explicit(&waiting_count, 1, memory_order_relaxed);
}

bool large_lock_is_wanted(void)
{
    return atomic_load_explicit(&waiting_count, memory_order_relaxed) != 0;
}

void large_unlock(void)
{
    lock_release(&moving);
}

void large_lock_reset(void)
{
    lock_reset(&moving);
    waiting_count = 0;
}
