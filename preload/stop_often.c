/*
 * preload/stop_often: the option stop_every_us, for tests: a thread that does nothing but stop the others.
 *
 * Locks: the heap's, around each stop, as a collection has.
 */
#include "preload/stop_often.h"

#include "base/options.h"
#include "gc/stop.h"
#include "gc/threads.h"
#include "heap/fork.h"
#include "os/signals.h"
#include "os/thread.h"
#include "preload/next.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

static _Atomic uint32_t is_running;

static void *stop_and_go(void *argument)
{
    static const uint32_t nobody_wakes_this;
    os_signal_block_all();
    os_signal_unblock(STOP_SIGNAL);
    is_running = 1;
    os_futex_wake((const uint32_t *)&is_running, 1);
    for (;;) {
        os_futex_wait_for(&nobody_wakes_this, 0, options_now()->stop_every_us * 1000);
        heap_lock_all();
        if (stop_begin() == 0)
            stop_end();
        heap_unlock_all();
    }
    return argument;
}

/* A new thread makes calls before it comes to our function, which a sandbox of the program's may deny. So it is waited for. */
void stop_often_start(void)
{
    pthread_t thread;
    region_function *create = (region_function *)next_function(NEXT_pthread_create);
    if (create((long)&thread, 0, (long)stop_and_go, 0, 0, 0, 0) != 0)
        return;
    while (!is_running)
        os_futex_wait((const uint32_t *)&is_running, 0);
}
