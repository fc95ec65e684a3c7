/*
 * gc/threads: a record for each thread that gcalloc has met.
 *
 * Records are taken by compare-and-swap from an array that only grows, since a thread may get one in a signal handler.
 *
 * Locks: none.
 */
#include "gc/threads.h"

#include "os/maps.h"
#include "os/memory.h"
#include "os/thread.h"

#include <errno.h>
#include <pthread.h>

enum { RECORDS_A_STEP = 1024 }; /* 64 KiB, the largest page */

_Thread_local struct thread_record *thread_self;

static struct thread_record *records;
static _Atomic size_t committed_count;
static _Atomic size_t used_count; /* records below this number have been in use */
static _Atomic int32_t process_id;

int threads_process_id(void)
{
    return process_id;
}

bool threads_is_own_process(void)
{
    return process_id != 0 && process_id == os_process_id();
}

/* What is committed twice stays as it is, so threads that grow at the same time need no lock. */
static bool grow(size_t count)
{
    size_t before = committed_count;
    if (count <= before)
        return true;
    if (count > THREADS_MAX || os_commit(records + before, RECORDS_A_STEP * sizeof *records) != 0)
        return false;
    atomic_compare_exchange_strong(&committed_count, &before, before + RECORDS_A_STEP);
    return true;
}

/* A thread with the same id that has ended may have left one. */
static void drop_records(int thread_id)
{
    for (size_t i = 0; i < used_count; i++)
        if (records[i].thread_id == thread_id)
            records[i].thread_id = 0;
}

static struct thread_record *take_record(int thread_id)
{
    drop_records(thread_id);
    for (size_t i = 0; grow(i + 1); i++) {
        int32_t expected = 0;
        if (!atomic_compare_exchange_strong(&records[i].thread_id, &expected, thread_id))
            continue;
        size_t used = used_count;
        while (used <= i && !atomic_compare_exchange_weak(&used_count, &used, i + 1)) {
        }
        return &records[i];
    }
    return NULL;
}

struct thread_record *thread_register(uintptr_t stack_start, uintptr_t stack_end)
{
    struct thread_record *record = records != NULL ? take_record(os_thread_id()) : NULL;
    if (record == NULL)
        return NULL;
    record->region_stack_pointer = 0;
    record->shares_memory = false;
    record->stack_start = stack_start;
    record->stack_end = stack_end;
    thread_self = record;
    return record;
}

void thread_unregister(void)
{
    struct thread_record *record = thread_self;
    thread_self = NULL;
    if (record == NULL)
        return;
    record->region_stack_pointer = 0;
    record->thread_id = 0;
}

void threads_each(void (*visit)(struct thread_record *record, void *context), void *context)
{
    size_t count = used_count;
    for (size_t i = 0; i < count; i++)
        if (records[i].thread_id != 0)
            visit(&records[i], context);
}

/* Nobody else is left, and the caller has another id than in the parent. */
static void after_fork_in_child(void)
{
    for (size_t i = 0; i < used_count; i++)
        if (&records[i] != thread_self)
            records[i].thread_id = 0;
    if (thread_self != NULL)
        thread_self->thread_id = os_thread_id();
    process_id = os_process_id();
    os_barrier_prepare();
}

/* As it is now: the kernel lets the main thread's stack grow down later. */
static void find_main_stack(uintptr_t *start_out, uintptr_t *end_out)
{
    struct os_mapping mapping;
    if (os_mapping_find((uintptr_t)&mapping, &mapping) != 0)
        return;
    *start_out = mapping.start;
    *end_out = mapping.end;
}

int threads_start(void)
{
    void *start;
    uintptr_t stack_start = 0;
    uintptr_t stack_end = 0;
    if (records != NULL)
        return 0;
    if (os_reserve(THREADS_MAX * sizeof *records, os_page_bytes(), &start) != 0)
        return -ENOMEM;
    records = start;
    process_id = os_process_id();
    int result = os_barrier_prepare();
    if (result != 0)
        return result;
    find_main_stack(&stack_start, &stack_end);
    if (thread_register(stack_start, stack_end) == NULL)
        return -ENOMEM;
    return -pthread_atfork(NULL, NULL, after_fork_in_child);
}
