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
#include "heap/collector.h"
#include "heap/guard.h"
#include "heap/large.h"
#include "heap/metadata.h"
#include "heap/note.h"
#include "heap/runs.h"
#include "heap/thread.h"
#include "os/thread.h"

#include <pthread.h>

void heap_lock_all(void)
{
    thread_heap_lock_all();
    large_lock();
    guard_lock();
    run_lock();
    note_lock();
    metadata_lock();
}

void heap_unlock_all(void)
{
    metadata_unlock();
    note_unlock();
    run_unlock();
    guard_unlock();
    large_unlock();
    thread_heap_unlock_all();
}

static void before(void)
{
    if (heap_quarantine != NULL)
        heap_quarantine->lock();
    if (heap_collector != NULL)
        heap_collector->lock();
    heap_lock_all();
}

static void after_in_parent(void)
{
    heap_unlock_all();
    if (heap_collector != NULL)
        heap_collector->unlock();
    if (heap_quarantine != NULL)
        heap_quarantine->unlock();
}

static void after_in_child(void)
{
    if (heap_quarantine != NULL)
        heap_quarantine->lock_reset();
    if (heap_collector != NULL)
        heap_collector->lock_reset();
    metadata_lock_reset();
    note_lock_reset();
    run_lock_reset();
    guard_lock_reset();
    large_lock_reset();
    image_now->fork_count++;
    image_now->process_id = os_process_id();
    thread_heap_after_fork_in_child();
}

void fork_register(void)
{
    pthread_atfork(before, after_in_parent, after_in_child);
}
