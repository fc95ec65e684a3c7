/*
 * gc/pause: the time that threads stand still for a collection.
 *
 * Uses os, base. Locks: one of its own, which is not held while the program's callback runs.
 */
#include "gc/pause.h"

#include "base/lock.h"
#include "gc/history.h"
#include "gc/trace.h"
#include "os/thread.h"

#include <stddef.h>

static struct lock callback_lock;
static pause_callback *callback;
static void *callback_data;
static uint64_t begin_ns; /* the collecting thread's */

void pause_set_callback(pause_callback *new_callback, void *data)
{
    lock_take(&callback_lock);
    callback = new_callback;
    callback_data = data;
    lock_release(&callback_lock);
}

static void tell(bool is_end, uint64_t pause_ns)
{
    lock_take(&callback_lock);
    pause_callback *told = callback;
    void *data = callback_data;
    lock_release(&callback_lock);
    if (told != NULL)
        told(is_end, pause_ns, data);
}

void pause_begin(void)
{
    tell(false, 0);
    begin_ns = os_clock_ns();
}

void pause_note(uint64_t start_ns, uint64_t end_ns)
{
    history_note_pause(end_ns - start_ns);
    trace_phase("pause", start_ns, end_ns);
}

void pause_end(void)
{
    uint64_t end_ns = os_clock_ns();
    pause_note(begin_ns, end_ns);
    tell(true, end_ns - begin_ns);
}

void pause_lock(void)
{
    lock_take(&callback_lock);
}

void pause_unlock(void)
{
    lock_release(&callback_lock);
}

void pause_lock_reset(void)
{
    lock_reset(&callback_lock);
}
