/*
 * gc/stop: stops all other threads of the process, and lets them go on, without a trace.
 *
 * The signal is number 33, which glibc keeps to itself for setuid() in all threads: programs can't block it, wait for it
 * or handle it, since every function of libc's that takes a set of signals leaves it out. glibc's handler gets what is not
 * from us. It is queued with a value, so that ours and others' don't merge.
 *
 * `stop_epoch` is odd while a stop is under way. A signal only tells a thread to look: whether it is wanted is decided by the
 * table of this stop, so that one which arrives late does no harm.
 *
 * Locks: stop_lock.
 */
#include "gc/stop.h"

#include "base/compiler.h"
#include "base/lock.h"
#include "gc/crew.h"
#include "gc/helper.h"
#include "gc/restart.h"
#include "gc/stop_table.h"
#include "gc/threads.h"
#include "os/context.h"
#include "os/signals.h"
#include "os/tasks.h"
#include "os/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

/*
 * How long a thread may take to answer: one that can run, one that blocks the signal (libc does for moments), one that
 * sleeps in the kernel. Then, after how long they are looked at.
 */
static const uint64_t RUNNING_NS = 500000000;
static const uint64_t DEAF_NS = 100000000;
static const uint64_t SLEEPING_NS = 30000000;
static const uint64_t FIRST_LOOK_NS = 1000000;
static const uint64_t LONGEST_LOOK_NS = 8000000;

_Atomic uint32_t stop_epoch;
static _Atomic uint32_t arrived;
static _Atomic uint32_t awaited;
static _Atomic uint32_t forbidden; /* threads that are about to exec */
static _Atomic bool is_ready;
static _Atomic bool is_given_up;
static _Atomic bool avoids_alternate_stacks;
static _Atomic bool is_handler_current = true;
static struct lock stop_lock;
static uint64_t mask_before;
static size_t settled_count;
static struct os_disposition libc_disposition;
static int32_t deaf_thread; /* blocked the signal when it was last looked at */

void stop_wait(void)
{
    uint32_t now = stop_epoch;
    while ((now & 1) != 0 && stop_epoch == now)
        os_futex_wait((const uint32_t *)&stop_epoch, now);
}

size_t stop_count(void)
{
    return settled_count;
}

const struct stopped *stop_threads(void)
{
    return stop_table_settled();
}

NOINLINE void stop_spill(void (*function)(void *context), void *context)
{
    __builtin_unwind_init();
    function(context);
    __asm__ volatile("" ::: "memory"); /* no tail call: the frame stays */
}

static _Atomic uint32_t handling; /* threads between the entry of the handler and its end, or the program's call that it makes again */

/*
 * In the handler: says where the thread stands, and waits for the end of the stop. The kernel has put all registers behind
 * the context, and what is below it is ours.
 */
static void answer(struct stop_entry *entry, const void *context, uint32_t now)
{
    uint32_t expected = STOP_AWAITED;
    if (!atomic_compare_exchange_strong(&entry->state, &expected, STOP_ANSWERS))
        return;
    struct stopped *stopped = stop_table_public(entry);
    uintptr_t end;
    stopped->stack_pointer = (uintptr_t)context;
    if (os_context_on_alternate_stack(context, (uintptr_t)context, &end)) {
        stopped->registers_start = (uintptr_t)context;
        stopped->registers_end = end;
        stopped->stack_pointer = os_context_stack_pointer(context) - OS_RED_ZONE_BYTES;
    }
    entry->state = STOP_ARRIVED;
    if (atomic_fetch_add(&arrived, 1) + 1 >= awaited)
        os_futex_wake((const uint32_t *)&arrived, 1);
    while (stop_epoch == now)
        os_futex_wait((const uint32_t *)&stop_epoch, now);
}

static void handle(int signal, void *info, void *context)
{
    uintptr_t value;
    if (!os_signal_value(info, threads_process_id(), &value) || value != (uintptr_t)&stop_epoch) {
        if ((uintptr_t)libc_disposition.handler > 1)
            libc_disposition.handler(signal, info, context);
        return;
    }
    atomic_fetch_add(&handling, 1);
    uint32_t now = stop_epoch;
    struct stop_entry *entry = (now & 1) != 0 ? stop_table_find(os_thread_id()) : NULL;
    struct os_call call;
    bool is_awaited = entry != NULL && entry->state == STOP_AWAITED;
    bool is_registered = is_awaited && entry->record != NULL;
    bool in_call = is_awaited && entry->in_call;
    if (in_call)
        call = entry->call; /* the table changes with the next stop */
    if (entry != NULL)
        answer(entry, context, now);
    if (!restart_interrupted(context, in_call ? &call : NULL, is_registered, &handling))
        atomic_fetch_sub(&handling, 1);
}

/* libc installs its handler when the first thread is made, over ours. */
static int keep_handler(void)
{
    struct os_disposition now;
    int result = os_signal_get(STOP_SIGNAL, &now);
    bool is_ours = now.handler == handle;
    if (result != 0 || (is_ours && is_handler_current))
        return result;
    if (!is_ours)
        libc_disposition = now;
    is_handler_current = true;
    now = os_signal_disposition(handle, !avoids_alternate_stacks);
    return os_signal_set(STOP_SIGNAL, &now);
}

/* A stop holds the heap locks, and so does a fork; but a fork may have gone around them. */
static void after_fork_in_child(void)
{
    lock_reset(&stop_lock);
    stop_epoch = 0;
    forbidden = 0;
    handling = 0;
    deaf_thread = 0;
}

int stop_start(void)
{
    if (is_ready)
        return 0;
    int result = threads_start();
    if (result == 0)
        result = stop_table_start();
    if (result == 0)
        result = keep_handler();
    os_signal_unblock(STOP_SIGNAL);
    if (result == 0)
        result = -pthread_atfork(NULL, NULL, after_fork_in_child);
    is_ready = result == 0;
    return result;
}

/* What the search through the kernel's list of threads found. */
struct search {
    int32_t self;
    int error;
};

/* Listed, but will never run a line of the program's. */
static bool is_empty(const struct os_task *task)
{
    return task->state == 'Z' || task->state == 'X' || task->is_kernel;
}

/* Finds out what a thread does and tells it to stop. */
static int ask(struct stop_entry *entry)
{
    struct os_task task;
    entry->in_call = os_task_call(entry->thread_id, &entry->call) == 0;
    if (!entry->in_call && os_task_look(entry->thread_id, &task) == 0 && is_empty(&task)) {
        entry->state = STOP_EMPTY;
        return 0;
    }
    entry->state = STOP_AWAITED;
    int result =
        os_signal_send(threads_process_id(), entry->thread_id, STOP_SIGNAL, (uintptr_t)&stop_epoch);
    if (result == 0)
        return 0;
    uint32_t expected = STOP_AWAITED;
    if (!atomic_compare_exchange_strong(&entry->state, &expected, STOP_GONE))
        return 0; /* an older signal made it answer */
    return result == -ESRCH ? 0 : result;
}

static bool notice(int thread_id, void *context)
{
    struct search *search = context;
    struct stop_entry *entry = stop_table_find(thread_id);
    if (entry == NULL)
        entry = stop_table_add(thread_id);
    if (entry == NULL)
        search->error = -ENOSPC;
    else if (thread_id == search->self || thread_id == helper_thread_id || crew_has(thread_id))
        entry->state = STOP_SAFE; /* the helper waits for the cycle's lock; or marks */
    return search->error == 0;
}

static void attach_record(struct thread_record *record, void *context)
{
    (void)context;
    struct stop_entry *entry = stop_table_find(record->thread_id);
    if (entry != NULL)
        entry->record = record;
}

/* Empty ones may be gone for good by now: they are looked at again. */
static int find_all(int32_t self)
{
    struct search search = {.self = self};
    struct stop_entry *entries = stop_table_entries();
    for (size_t i = 0; i < stop_table_count(); i++)
        if (entries[i].state == STOP_EMPTY)
            entries[i].state = STOP_GONE;
    int result = os_tasks_each(notice, &search);
    threads_each(attach_record, NULL);
    if (result == 0 && search.error == 0 && stop_table_find(self) == NULL)
        return -ESRCH; /* this /proc is another namespace's, where threads have other ids */
    return search.error != 0 ? search.error : result;
}

/* Tells every thread that was found and not told yet. Returns 0 or -errno. */
static int ask_all(void)
{
    struct stop_entry *entries = stop_table_entries();
    size_t count = stop_table_count();
    for (size_t i = 0; i < count; i++) {
        struct stop_entry *entry = &entries[i];
        struct stopped *stopped = stop_table_public(entry);
        struct thread_record *record = entry->record;
        if (record != NULL) {
            stopped->stack_start = record->stack_start;
            stopped->stack_end = record->stack_end;
        }
        if (entry->state != STOP_GONE)
            continue;
        uintptr_t stack_pointer = record != NULL ? record->region_stack_pointer : 0;
        if (stack_pointer != 0) {
            stopped->stack_pointer = stack_pointer;
            stopped->is_region = true;
            entry->state = STOP_SAFE;
            continue;
        }
        int result = ask(entry);
        if (result != 0)
            return result;
    }
    return 0;
}

/*
 * A thread in our handler that gets no processor since the last stop looks the same; hence DEAF_NS, and who made us give up
 * only for that does so again at most until it runs.
 */
static bool is_deaf(int32_t thread_id)
{
    uint64_t mask;
    bool deaf = os_task_held_signals(thread_id, &mask) == 0 && (mask >> (STOP_SIGNAL - 1) & 1) != 0;
    if (deaf)
        deaf_thread = thread_id;
    return deaf;
}

/* Looks after one thread that has not answered. Returns -EAGAIN when it won't. */
static int look_after(struct stop_entry *entry, uint64_t waited_ns)
{
    struct os_task task;
    int result = os_task_look(entry->thread_id, &task);
    uint32_t expected = STOP_AWAITED;
    if (result == -ENOENT || result == -ESRCH)
        atomic_compare_exchange_strong(&entry->state, &expected, STOP_GONE);
    else if (result != 0)
        return -EAGAIN;
    else if (is_empty(&task))
        atomic_compare_exchange_strong(&entry->state, &expected, STOP_EMPTY);
    else if (task.state == 'T' || task.state == 't')
        return -EAGAIN;
    else if (waited_ns > LONGEST_LOOK_NS && is_deaf(entry->thread_id))
        return waited_ns > DEAF_NS ? -EAGAIN : 0;
    else if (task.state != 'R' && waited_ns > SLEEPING_NS)
        return -EAGAIN;
    return 0;
}

/* Counts who has answered and who is to. */
static uint32_t count_missing(void)
{
    const struct stop_entry *entries = stop_table_entries();
    uint32_t missing = 0;
    for (size_t i = 0; i < stop_table_count(); i++)
        missing += entries[i].state == STOP_AWAITED || entries[i].state == STOP_ANSWERS;
    return missing;
}

static int look_after_all(uint64_t waited_ns)
{
    struct stop_entry *entries = stop_table_entries();
    int result = 0;
    for (size_t i = 0; i < stop_table_count() && result == 0; i++)
        if (entries[i].state == STOP_AWAITED)
            result = look_after(&entries[i], waited_ns);
    return result;
}

/* Waits until nobody is missing. */
static int await_all(void)
{
    uint64_t begin_ns = os_clock_ns();
    uint64_t look_ns = FIRST_LOOK_NS;
    for (;;) {
        uint32_t seen = arrived;
        uint32_t missing = count_missing();
        if (missing == 0)
            return 0;
        awaited = seen + missing;
        if (os_futex_wait_for((const uint32_t *)&arrived, seen, look_ns) && arrived != seen)
            continue;
        uint64_t waited_ns = os_clock_ns() - begin_ns;
        if (waited_ns < FIRST_LOOK_NS)
            continue;
        int result = waited_ns > RUNNING_NS ? -EAGAIN : look_after_all(waited_ns);
        if (result != 0)
            return count_missing() == 0 ? 0 : result;
        look_ns = look_ns < LONGEST_LOOK_NS ? look_ns * 2 : look_ns;
    }
}

static size_t count_present(void)
{
    const struct stop_entry *entries = stop_table_entries();
    size_t present = 0;
    for (size_t i = 0; i < stop_table_count(); i++)
        present += entries[i].state != STOP_GONE;
    return present;
}

/*
 * Finds, tells and awaits threads until the kernel counts as many as are accounted for. Those that are stopped can't end,
 * so the same number means the same threads.
 */
static int gather(int32_t self)
{
    uint64_t begin_ns = os_clock_ns();
    for (;;) {
        int result = find_all(self);
        if (result == 0)
            result = ask_all();
        if (result == 0)
            result = await_all();
        if (result != 0)
            return result;
        long kernel_count = os_tasks_count();
        if (kernel_count < 0)
            return (int)kernel_count;
        if ((size_t)kernel_count == count_present())
            return 0;
        if (os_clock_ns() - begin_ns > RUNNING_NS)
            return -EAGAIN;
    }
}

static void let_go(void)
{
    atomic_fetch_add(&stop_epoch, 1);
    os_futex_wake((const uint32_t *)&stop_epoch, INT32_MAX);
    os_signal_set_mask(mask_before);
    lock_release(&stop_lock);
}

static void forget_record(struct thread_record *record, void *context)
{
    (void)context;
    int32_t thread_id = record->thread_id;
    const struct stop_entry *entry = stop_table_find(thread_id);
    if (entry == NULL || entry->state == STOP_GONE)
        atomic_compare_exchange_strong(&record->thread_id, &thread_id, 0);
}

/* It has run since: our handler makes its call once more, in a region, with the signal still held. */
static void forgive(struct thread_record *record, void *context)
{
    (void)context;
    if (record->thread_id == deaf_thread && record->region_stack_pointer != 0)
        deaf_thread = 0;
}

/* Who forbids stops, as before a sandbox, waits while stop_epoch is odd: before the look at it we make no call that may be denied. */
static int try_to_stop(int32_t *self_out)
{
    stop_table_clear();
    arrived = 0;
    awaited = UINT32_MAX;
    atomic_fetch_add(&stop_epoch, 1);
    if (forbidden != 0 || is_given_up)
        return -EAGAIN;
    *self_out = os_thread_id();
    threads_each(forgive, NULL);
    if (deaf_thread != 0 && is_deaf(deaf_thread))
        return -EAGAIN;
    deaf_thread = 0;
    int result = keep_handler();
    if (result == 0)
        result = os_barrier_all();
    return result == 0 ? gather(*self_out) : result;
}

NOINLINE int stop_begin(void)
{
    if (!is_ready || is_given_up || !threads_is_own_process() || !lock_try(&stop_lock))
        return -EAGAIN;
    int32_t self;
    mask_before = os_signal_block_all();
    int result = try_to_stop(&self);
    if (result != 0) {
        let_go();
        return result;
    }
    struct stop_entry *entry = stop_table_find(self);
    stop_table_public(entry)->stack_pointer = (uintptr_t)__builtin_frame_address(0);
    threads_each(forget_record, NULL);
    settled_count = stop_table_settle();
    return 0;
}

void stop_end(void)
{
    settled_count = 0;
    let_go();
}

bool stop_is_left(void)
{
    return handling == 0;
}

/* A signal sent before is delivered on the way back from any call. */
static void wait_for_silence(void)
{
    while (stop_is_under_way())
        stop_wait();
    os_thread_id();
}

void stop_forbid(void)
{
    atomic_fetch_add(&forbidden, 1);
    wait_for_silence();
}

void stop_allow(void)
{
    atomic_fetch_sub(&forbidden, 1);
}

/* Handlers look at what is pending on their way out, which a sandbox may punish. */
void stop_give_up(void)
{
    enum { A_MOMENT_NS = 20000 };
    static const uint32_t nobody_wakes_this;
    is_given_up = true;
    wait_for_silence();
    while (handling != 0)
        os_futex_wait_for(&nobody_wakes_this, 0, A_MOMENT_NS);
}

void stop_take_up(void)
{
    is_given_up = false;
}

void stop_note_alternate_stack(size_t size_bytes)
{
    enum { OWN_BYTES = 1536 };
    if (size_bytes >= os_signal_stack_bytes() + OWN_BYTES || avoids_alternate_stacks)
        return;
    avoids_alternate_stacks = true;
    is_handler_current = false;
}
