/*
 * heap/fork: the heap in the child of a fork.
 *
 * Before the fork every lock is taken in lock order, so that no table is in the middle of a change; afterwards the
 * parent lets go and the child starts with fresh locks.
 *
 * Locks: all of them.
 */
#include "heap/fork.h"

#include "base/image.h"
#include "heap/metadata.h"
#include "heap/runs.h"
#include "heap/thread.h"
#include "os/thread.h"

#include <pthread.h>

void heap_lock_all(void)
{
    thread_heap_lock_all();
    run_lock();
    metadata_lock();
}

void heap_unlock_all(void)
{
    metadata_unlock();
    run_unlock();
    thread_heap_unlock_all();
}

static void after_in_child(void)
{
    metadata_lock_reset();
    run_lock_reset();
    image_now->fork_count++;
    image_now->process_id = os_process_id();
    thread_heap_after_fork_in_child();
}

void fork_register(void)
{
    pthread_atfork(heap_lock_all, heap_unlock_all, after_in_child);
}
