/*
 * gc/trigger: what makes a cycle begin: the heap asks on its slow paths.
 *
 * Uses os, base, heap. Locks: all of the collector's, around a fork.
 */
#include "gc/trigger.h"

#include "base/image.h"
#include "base/options.h"
#include "gc/background.h"
#include "gc/cycle.h"
#include "gc/cycle_run.h"
#include "gc/history.h"
#include "gc/ledger.h"
#include "gc/outcome.h"
#include "gc/pacing.h"
#include "gc/pause.h"
#include "gc/pressure.h"
#include "gc/roots.h"
#include "gc/settings.h"
#include "gc/stop.h"
#include "gc/threads.h"
#include "gc/written.h"
#include "heap/collector.h"
#include "heap/runs.h"
#include "heap/thread.h"
#include "os/thread.h"

#include <stdatomic.h>

static _Atomic uint64_t slow_paths; /* allocations that took one, for collect_every */

/* ---- around a fork ---- */

static void lock_own(void)
{
    cycle_take();
    roots_lock();
    ledger_lock();
    pressure_lock();
    pause_lock();
    history_lock();
}

static void unlock_own(void)
{
    history_unlock();
    pause_unlock();
    pressure_unlock();
    ledger_unlock();
    roots_unlock();
    cycle_release();
}

static void reset_own(void)
{
    cycle_lock_reset();
    roots_lock_reset();
    ledger_lock_reset();
    pressure_lock_reset();
    pause_lock_reset();
    history_lock_reset();
    background_forget();
}

/* ---- the heap's questions ---- */

static void on_allocating(void)
{
    uint64_t count = atomic_fetch_add_explicit(&slow_paths, 1, memory_order_relaxed) + 1;
    if (count % options_now()->collect_every != 0)
        return;
    struct thread_heap *heap = thread_heap_peek();
    if (heap != NULL)
        thread_heap_flush(heap); /* so that the next allocation takes a slow path, too, and finds what was freed */
    bool is_young = count / options_now()->collect_every % 3 != 0;
    if (background_is_worth_while())
        background_start(CYCLE_TORTURE, is_young);
    else if (is_young)
        cycle_collect_young(CYCLE_TORTURE);
    else
        cycle_collect(CYCLE_TORTURE);
}

/* Of what has grown most is young. Where a stop for that has not brought enough, all follows at once. */
static bool collect_grown(size_t unit_count)
{
    if (!outcome_stops_for_young())
        return cycle_collect(CYCLE_GROWN) == 0;
    if (cycle_collect_young(CYCLE_GROWN) != 0)
        return false;
    return !pacing_is_due(unit_count) || cycle_collect(CYCLE_GROWN) == 0;
}

static bool on_growing(size_t unit_count)
{
    if (background_is_busy()) {
        bool waits = pacing_is_late(unit_count);
        if (waits)
            background_wait();
        return waits;
    }
    bool is_near = pacing_is_near(unit_count);
    if ((is_near || outcome_wants_young()) && !outcome_stops_for_young() && background_is_worth_while()) {
        background_start(CYCLE_GROWN, !is_near);
        return false;
    }
    if (pacing_is_due(unit_count))
        return collect_grown(unit_count);
    if (!pressure_wants_cycle())
        return false;
    bool collected = cycle_collect(CYCLE_PRESSED) == 0;
    run_purge_all();
    return collected;
}

static void on_exhausted(void)
{
    uint64_t start_ns = os_clock_ns();
    if (pacing_is_exhausted() && cycle_collect(CYCLE_EXHAUSTED) == 0)
        pacing_note_exhausted(start_ns);
}

/* What our own functions write the program can't tell of. */
static void on_copied(const void *start, size_t size_bytes)
{
    written_tell(start, size_bytes, start);
}

static struct heap_collector collector = {
    .growing = on_growing,
    .exhausted = on_exhausted,
    .lock = lock_own,
    .unlock = unlock_own,
    .lock_reset = reset_own,
    .copied = on_copied,
};

/* There may be gc/stand_in in its place. */
bool gc_active(void)
{
    return heap_collector == &collector;
}

int trigger_start(void)
{
    if (options_now()->collect_every != 0)
        collector.allocating = on_allocating;
    gc_settings_start();
    int result = stop_start();
    if (result == 0)
        result = history_start();
    if (result == 0 && gc_settings_now()->tracking == GC_TRACKING_PROGRAM)
        result = written_by_program();
    if (result == 0)
        heap_collector = &collector;
    return result;
}
