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
#include "base/options.h"
#include "gc/check.h"
#include "gc/concurrent.h"
#include "gc/cycle_run.h"
#include "gc/finalize.h"
#include "gc/helper.h"
#include "gc/outcome.h"
#include "gc/settings.h"
#include "gc/trace.h"
#include "heap/large.h"
#include "os/helper.h"
#include "os/thread.h"

#include <errno.h>
#include <stdatomic.h>

static _Atomic uint32_t is_busy;  /* 1 while a cycle runs on the helper */
static _Atomic bool is_denied;    /* none may, any more */
static bool is_void;              /* the one under way is not to go on */

/* Gives way to who waits for the lock. */
static bool yield(void)
{
    if (cycle_is_wanted()) {
        cycle_release();
        while (cycle_is_wanted())
            os_helper_yield();
        cycle_take_back();
    }
    return !is_void && !is_denied;
}

static struct cycle background;

static void on_marked(void)
{
    if (options_now()->mark_check > background.is_young)
        check_marks(cycle_items(), CYCLE_ITEMS);
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
    cycle_release();
    is_busy = 0;
    os_futex_wake((const uint32_t *)&is_busy, INT32_MAX);
    finalize_announce();
}

bool background_is_worth_while(void)
{
    enum { NS_A_US = 1000 };
    uint64_t choice = options_now()->concurrent;
    bool is_tracked = options_now()->quarantine != 0; /* by whom there can be only one */
    if (is_denied || is_tracked || choice == CONCURRENT_NEVER || cycle_is_disabled())
        return false;
    return choice == CONCURRENT_ALWAYS || outcome_full_cost_ns() > gc_settings_now()->pause_us * NS_A_US;
}

/* The lock becomes the helper's. */
void background_start(enum cycle_reason reason, bool is_young)
{
    if (is_busy || cycle_begin(reason) != 0)
        return;
    background = (struct cycle){.reason = reason, .yield = yield, .is_young = is_young};
    is_busy = 1;
    if (helper_give(run_in_background) == 0)
        return;
    is_busy = 0;
    is_denied = true;
    cycle_release();
}

bool background_is_busy(void)
{
    return is_busy;
}

void background_wait(void)
{
    enum { WAIT_NS = 20000000, WAITS_MAX = 50 };
    for (int i = 0; i < WAITS_MAX && is_busy; i++)
        os_futex_wait_for((const uint32_t *)&is_busy, 1, WAIT_NS);
}

void background_end_helper(void)
{
    /* With the lock held and no cycle under way none begins: the helper does not wait for what we hold. */
    for (cycle_take(); is_busy; cycle_take()) {
        is_void = true;
        cycle_release();
        background_wait();
    }
    helper_quit();
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
    large_fix(false);
    is_busy = 0;
}
