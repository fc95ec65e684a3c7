/*
 * gc/background: cycles on the helper's thread, beside the program.
 *
 * The helper holds the cycle's lock meanwhile, and gives way between two steps: to a fork; or to who collects at once, and then
 * its own cycle is void.
 *
 * Uses os, base, heap. Locks: that of the cycle.
 */
#include "gc/background.h"

#include "base/compiler.h"
#include "base/image.h"
#include "base/lock.h"
#include "base/options.h"
#include "gc/check.h"
#include "gc/concurrent.h"
#include "gc/crew.h"
#include "gc/cycle_run.h"
#include "gc/expect.h"
#include "gc/finalize.h"
#include "gc/helper.h"
#include "gc/region.h"
#include "gc/settings.h"
#include "gc/trace.h"
#include "heap/collector.h"
#include "heap/large.h"
#include "os/thread.h"

#include <errno.h>
#include <stdatomic.h>

static const uint64_t WAIT_NS = 20000000;

static _Atomic uint32_t is_busy;  /* 1 while a cycle runs on the helper */
static _Atomic bool is_denied;    /* none may, any more */
static bool is_void;              /* the one under way is not to go on */
static _Atomic uint32_t begun;    /* how many have */
static _Atomic int last_result;

/* A cycle in steps: between two of them the helper waits. */
enum step { STEP_DONE, STEP_OPEN, STEP_LAST };
static _Atomic bool is_stepped;
static _Atomic uint32_t step;  /* open while it may work; the last one when the cycle has ended */
static uint64_t step_work_ns;  /* of the helper's processor time, in one step */
static uint64_t step_start_ns; /* what it had had when the step began */
static struct lock step_lock;  /* one step at a time */

/* ---- on the helper ---- */

static void tell(_Atomic uint32_t *word, uint32_t value)
{
    *word = value;
    os_futex_wake((const uint32_t *)word, INT32_MAX);
}

/* The step is over: the cycle's lock is anybody's until there is another, or nobody makes steps any more. */
COLD static void wait_for_step(void)
{
    cycle_release();
    tell(&step, STEP_DONE);
    while (is_stepped && step == STEP_DONE)
        os_futex_wait((const uint32_t *)&step, STEP_DONE);
    cycle_take_back();
    step_start_ns = os_thread_work_ns();
}

static bool is_step_over(void)
{
    return UNLIKELY(is_stepped) && os_thread_work_ns() - step_start_ns >= step_work_ns;
}

/* Whether yield() would do anything, or say no. */
static bool is_wanted(void)
{
    return cycle_is_wanted() || is_void || is_denied || is_step_over();
}

/* Gives way to who waits for the lock. */
static bool yield(void)
{
    if (is_step_over())
        wait_for_step();
    cycle_give_way();
    return !is_void && !is_denied;
}

static struct cycle background;

static void on_marked(void)
{
    if (options_now()->mark_check > background.is_young)
        check_marks(cycle_items(), CYCLE_ITEMS, true);
    finalize_after_mark(&cycle_marker);
}

static void run_concurrent(struct cycle *cycle)
{
    struct concurrent phases = {
        .marker = &cycle_marker,
        .items = cycle_items(),
        .item_count = CYCLE_ITEMS,
        .birth = cycle_next_birth(),
        .is_young = cycle->is_young,
        .yield = yield,
        .is_wanted = is_wanted,
        .threads = is_stepped ? 1 : crew_size_beside(), /* a step is the helper's work alone */
        .marked = on_marked,
    };
    cycle->stopped_ns = os_clock_ns();
    cycle->result = white_may_be_born(phases.birth) && !helper_shares_files() ? concurrent_mark(&phases) : -ENOTSUP;
    cycle->marked_ns = os_clock_ns();
    trace_phase("mark", cycle->stopped_ns, cycle->marked_ns);
    cycle->is_young = phases.is_young;
    cycle->rounds = phases.rounds;
    cycle->last_pages = phases.last_pages;
}

/* Where writes can't be tracked all is done in one stop, today and in future. */
static void run_in_background(void)
{
    struct cycle *cycle = &background;
    cycle->result = cycle_prepare(cycle);
    is_void = false;
    step_start_ns = os_thread_work_ns();
    if (cycle->result == 0)
        run_concurrent(cycle);
    if (cycle->result == 0) {
        cycle_sweep(cycle);
    } else if (cycle->result == -ENOTSUP) {
        cycle->is_young = false;
        if (white_may_be_born(cycle_next_birth()))
            is_denied = true;
        cycle->result = cycle_prepare(cycle);
        if (cycle->result == 0 && cycle_mark_stopped(cycle) == 0)
            cycle_sweep(cycle);
    }
    cycle_conclude(cycle);
    last_result = cycle->result;
    cycle_release();
    is_stepped = false;
    tell(&step, STEP_LAST);
    tell(&is_busy, 0);
    finalize_announce();
}

static _Atomic uint32_t is_renewing;

static void run_renewal(void)
{
    concurrent_renew();
    tell(&is_renewing, 0);
}

/* ---- beginning and waiting ---- */

bool background_is_possible(void)
{
    bool is_tracked = options_now()->quarantine != 0; /* by whom there can be only one */
    return !is_denied && !is_tracked && options_now()->concurrent != CONCURRENT_NEVER;
}

bool background_is_worth_while(void)
{
    if (!background_is_possible() || cycle_is_disabled())
        return false;
    return options_now()->concurrent == CONCURRENT_ALWAYS || expect_full_ns() > gc_settings_stop_ns();
}

/*
 * The lock becomes the helper's. With work_ns it works for so long only, and then waits for a step. Returns the cycle's number,
 * 0 if none has begun.
 */
static uint32_t start(enum cycle_reason reason, bool is_young, uint64_t work_ns)
{
    if (is_busy || cycle_begin(reason) != 0)
        return 0;
    if (is_busy) { /* one in steps has begun, which leaves the lock free between two of them */
        cycle_release();
        return 0;
    }
    background = (struct cycle){.reason = reason, .yield = yield, .is_young = is_young};
    step_work_ns = work_ns;
    is_stepped = work_ns != 0;
    step = STEP_OPEN;
    is_busy = 1;
    uint32_t number = ++begun;
    if (helper_give(run_in_background) == 0)
        return number;
    is_stepped = false;
    is_busy = 0;
    is_denied = true;
    cycle_release();
    return 0;
}

void background_start(enum cycle_reason reason, bool is_young)
{
    start(reason, is_young, 0);
}

/* What was to be done in steps is done like any other cycle. */
static void stop_stepping(void)
{
    if (!is_stepped)
        return;
    is_stepped = false;
    tell(&step, STEP_OPEN);
}

static long wait_on(long word, long expected, long timeout_ns, long a, long b, long c, long d)
{
    (void)a, (void)b, (void)c, (void)d;
    return os_futex_wait_for((const uint32_t *)word, (uint32_t)expected, (uint64_t)timeout_ns);
}

/* As a call that may take long: the cycle need not stop who waits for it. */
static void wait_while(const _Atomic uint32_t *word, uint32_t expected, uint64_t timeout_ns)
{
    region_call(wait_on, (long)word, (long)expected, (long)timeout_ns, 0, 0, 0, 0);
}

bool background_is_busy(void)
{
    return is_busy;
}

void background_wait(void)
{
    enum { WAITS_MAX = 50 };
    stop_stepping();
    for (int i = 0; i < WAITS_MAX && is_busy; i++)
        os_futex_wait_for((const uint32_t *)&is_busy, 1, WAIT_NS);
}

/* Only the helper has the descriptors. While it is in the middle of a cycle it has renewed already, not long ago. */
void background_renew(void)
{
    if (is_busy || helper_thread_id == 0 || !background_is_possible())
        return;
    is_renewing = 1;
    if (helper_give(run_renewal) != 0)
        is_renewing = 0;
    while (is_renewing)
        os_futex_wait_for((const uint32_t *)&is_renewing, 1, WAIT_NS);
}

static bool is_under_way(uint32_t number)
{
    return is_busy && begun == number;
}

static void wait_until_done(uint32_t number)
{
    stop_stepping();
    while (is_under_way(number))
        wait_while(&is_busy, 1, WAIT_NS);
}

/* Who made it void has collected himself. */
static int result_of(uint32_t number)
{
    int result = begun == number ? last_result : 0;
    return result == -ECANCELED ? 0 : result;
}

/* In a child that shares our memory nothing begins, however often it is tried. */
static bool may_begin(void)
{
    return os_process_id() == image_now->process_id && background_is_possible();
}

int background_collect_young(void)
{
    while (may_begin()) {
        wait_until_done(begun);
        uint32_t number = start(CYCLE_ASKED, true, 0);
        if (number == 0)
            continue;
        wait_until_done(number);
        return result_of(number);
    }
    return cycle_collect_young(CYCLE_ASKED);
}

/* Opens the step, and waits until it is done. Returns 1 when it was the last. */
static int make_step(uint32_t number, uint64_t work_ns)
{
    if (is_stepped) {
        step_work_ns = work_ns;
        tell(&step, STEP_OPEN);
    }
    while (is_under_way(number) && step == STEP_OPEN && is_stepped)
        wait_while(&step, STEP_OPEN, WAIT_NS);
    if (!is_stepped && is_under_way(number)) /* somebody has made it one that runs by itself */
        wait_while(&is_busy, 1, work_ns);
    if (is_under_way(number) && step != STEP_LAST)
        return 0;
    int result = result_of(number);
    return result == 0 ? 1 : result;
}

int background_step(uint64_t work_ns)
{
    uint32_t number = 0;
    int result = 0;
    lock_take(&step_lock);
    while (number == 0 && may_begin())
        number = is_busy ? begun : start(CYCLE_ASKED, false, work_ns);
    if (number != 0)
        result = make_step(number, work_ns);
    lock_release(&step_lock);
    if (number != 0)
        return result;
    result = cycle_collect(CYCLE_ASKED);
    return result == 0 ? 1 : result;
}

void background_end_helper(void)
{
    /* With the lock held and no cycle under way none begins: the helper does not wait for what we hold. */
    for (cycle_take(); is_busy; cycle_take()) {
        is_void = true;
        cycle_release();
        background_wait(); /* with no more steps */
    }
    if (heap_collector != NULL) /* else it is the quarantine's */
        helper_quit();
    crew_quit();
    cycle_release();
}

void background_deny(void)
{
    if (is_denied)
        return;
    is_denied = true;
    if (!is_busy)
        return;
    cycle_take();
    is_void = true;
    cycle_release();
}

/* What the helper was at in the parent ends here, without trace: nothing has been freed, or only some. */
void background_forget(void)
{
    helper_forget();
    crew_forget();
    large_fix(false);
    lock_reset(&step_lock);
    is_stepped = false;
    is_busy = 0;
}
