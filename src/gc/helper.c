/*
 * gc/helper: the collector's own thread, which works while the program's run.
 *
 * Locks: none.
 */
#include "gc/helper.h"

#include "base/compiler.h"
#include "base/message.h"
#include "base/options.h"
#include "gc/roots.h"
#include "heap/thread.h"
#include "os/helper.h"
#include "os/memory.h"
#include "os/thread.h"
#include "os/tracking.h"

#include <errno.h>

enum job { JOB_NONE, JOB_RUN, JOB_END };

static const uint64_t GONE_LOOK_NS = 200000;

_Atomic int32_t helper_thread_id;
static _Atomic uint32_t job;
static void (*function_now)(void);
static void *memory;
static bool shares_files;

bool helper_shares_files(void)
{
    return shares_files;
}

static void work(void *context)
{
    (void)context;
    heap_self = (struct thread_heap *)&thread_heap_none;
    shares_files = os_helper_leave_files(options_now()->gc_log != 0) != 0;
    message_borrow_output(!shares_files);
    for (;;) {
        uint32_t now = job;
        if (now == JOB_END)
            break;
        if (now == JOB_NONE) {
            os_futex_wait((const uint32_t *)&job, JOB_NONE);
            continue;
        }
        job = JOB_NONE; /* whoever finds the cycle's lock free may give the next */
        function_now();
    }
    os_tracking_stop();
}

int helper_need_memory(void **memory_in_out)
{
    void *area = NULL;
    if (*memory_in_out != NULL)
        return 0;
    if (os_working_area(&area, 0, OS_HELPER_BYTES) != 0)
        return -ENOMEM;
    if (roots_hide(area, OS_HELPER_BYTES) != 0) {
        os_unreserve(area, OS_HELPER_BYTES);
        return -ENOMEM;
    }
    *memory_in_out = area;
    return 0;
}

static int start(void)
{
    int result = helper_need_memory(&memory);
    return result == 0 ? os_helper_start(memory, work, NULL, &helper_thread_id) : result;
}

int helper_give(void (*function)(void))
{
    function_now = function;
    job = JOB_RUN;
    int result = helper_thread_id == 0 ? start() : 0;
    if (result == 0)
        os_futex_wake((const uint32_t *)&job, 1);
    else
        job = JOB_NONE;
    return result;
}

/* The kernel wakes those who wait for the id by another kind of futex than ours. */
void helper_quit(void)
{
    int32_t last = 0;
    for (int32_t id; (id = helper_thread_id) != 0; last = id) {
        job = JOB_END;
        os_futex_wake((const uint32_t *)&job, 1);
        os_futex_wait_for((const uint32_t *)&helper_thread_id, (uint32_t)id, GONE_LOOK_NS);
    }
    if (last != 0)
        os_helper_await_end(last);
    job = JOB_NONE;
}

void helper_forget(void)
{
    helper_thread_id = 0;
    job = JOB_NONE;
    os_helper_forget();
    os_tracking_abandon();
}
