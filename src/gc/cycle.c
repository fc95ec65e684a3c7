/*
 * gc/cycle: a collection from beginning to end, and what makes one begin.
 *
 * A cycle takes all locks of the heap, so that no table is in the middle of a change, stops all other threads, and gives
 * the blocks allocated from then on another birth. It marks, lets go of the locks and the threads, and sweeps while they
 * run. If any step fails, nothing is freed: the heap grows instead.
 *
 * Uses os, base, heap. Locks: that of the cycle, outermost of all; the heap's inside.
 */
#include "gc/cycle.h"

#include "base/image.h"
#include "base/lock.h"
#include "base/message.h"
#include "gc/area.h"
#include "gc/finalize.h"
#include "gc/history.h"
#include "gc/ledger.h"
#include "gc/mark.h"
#include "gc/pacing.h"
#include "gc/pause.h"
#include "gc/pressure.h"
#include "gc/roots.h"
#include "gc/settings.h"
#include "gc/stop.h"
#include "gc/sweep.h"
#include "gc/threads.h"
#include "gc/trace.h"
#include "gc/white.h"
#include "heap/birth.h"
#include "heap/collector.h"
#include "heap/fork.h"
#include "heap/runs.h"
#include "heap/thread.h"
#include "heap/verify.h"
#include "os/thread.h"

#include <errno.h>
#include <stdatomic.h>

enum { WORKLIST_ITEMS = 256 * 1024, WORKLIST_BYTES_KEPT = 64 * 1024, DRAIN_ITEMS = 1024 };

/* One cycle on its way. */
struct cycle {
    enum cycle_reason reason;
    int result;
    uint64_t start_ns;
    uint64_t stopped_ns;
    uint64_t marked_ns;
    uint64_t end_ns;
    struct white_rule rule;
    struct sweep_result swept;
};

static const char *const reason_names[] = {"asked", "grown", "exhausted", "torture", "pressed"};

static struct lock cycle_lock;
static _Atomic int32_t disabled;
static _Atomic uint64_t slow_paths; /* allocations that took one, for collect_every */
static struct marker marker;
static struct area worklist_area;
static bool is_active;

/* ---- one at a time ---- */

static void lock_own(void)
{
    lock_take(&cycle_lock);
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
    lock_release(&cycle_lock);
}

static void reset_own(void)
{
    lock_reset(&cycle_lock);
    roots_lock_reset();
    ledger_lock_reset();
    pressure_lock_reset();
    pause_lock_reset();
    history_lock_reset();
}

/*
 * Who only fears that the heap grows does not wait for another thread's cycle; who asks for one does, or has no memory left. A child that shares our memory
 * (vfork) must not collect: its process id is not the heap's.
 */
static int begin(enum cycle_reason reason)
{
    if (os_process_id() != image_now->process_id)
        return -EPERM;
    if (reason == CYCLE_ASKED || reason == CYCLE_EXHAUSTED)
        lock_take(&cycle_lock);
    else if (!lock_try(&cycle_lock))
        return -EBUSY;
    roots_lock();
    return 0;
}

static void end(void)
{
    roots_unlock();
    lock_release(&cycle_lock);
}

/* ---- marking ---- */

static void mark_root_range(const void *start, const void *end, unsigned step_bytes, void *context)
{
    (void)context;
    marker.unreadable = roots_unreadable(&marker.unreadable_count);
    marker.distances = roots_hold_distances();
    mark_range(&marker, start, end, step_bytes);
    if (marker.list.count > DRAIN_ITEMS)
        mark_drain(&marker);
}

/* All threads but this one are stopped, and the heap's locks are held. */
static int mark_all(struct cycle *cycle)
{
    uint32_t birth = image_now->birth % (BIRTH_COUNT - 1) + 1;
    white_rule_full(&cycle->rule, birth);
    int result = white_start(&cycle->rule);
    if (result != 0)
        return result;
    heap_birth_set(birth);
    mark_start(&marker, (struct work *)worklist_area.start, WORKLIST_ITEMS);
    result = roots_scan(mark_root_range, NULL);
    if (result == 0 && roots_are_hidden())
        result = -EOPNOTSUPP;
    if (result == 0) {
        mark_drain(&marker);
        finalize_after_mark(&marker);
    }
    return result;
}

/* ---- a cycle ---- */

/* All tables that stopped threads might be changing. */
static void lock_heap(void)
{
    ledger_lock();
    heap_lock_all();
}

static void unlock_heap(void)
{
    heap_unlock_all();
    ledger_unlock();
}

/* Shadows are slots that nobody has, and would look lost. */
static void check_heap(void *context)
{
    (void)context;
    heap_lock_all();
    int result = stop_begin();
    heap_unlock_all();
    if (result != 0)
        return;
    const char *problem = heap_verify(false);
    stop_end();
    if (problem == NULL)
        return;
    message_note("error: corrupted metadata after a collection: %s", problem);
    os_abort();
}

static bool must_check(void)
{
#ifdef GCA_DEBUG
    return !options_now()->shadow;
#else
    return options_now()->verify != 0 && !options_now()->shadow;
#endif
}

static void note(const struct cycle *cycle)
{
    history_note_cycle(&(struct history_cycle){
        .kind = HISTORY_FULL,
        .start_ns = cycle->start_ns,
        .end_ns = cycle->end_ns,
        .mark_ns = cycle->marked_ns - cycle->stopped_ns,
        .scanned_bytes = marker.scanned_bytes,
        .freed_blocks = cycle->swept.freed_blocks,
        .freed_bytes = cycle->swept.freed_bytes,
        .live_blocks = cycle->swept.live_blocks,
        .live_bytes = cycle->swept.live_bytes,
    });
    trace_phase("collection", cycle->start_ns, cycle->end_ns);
    trace_count("live", cycle->end_ns, cycle->swept.live_bytes);
    trace_count("heap", cycle->end_ns, atomic_load(&image_now->units_taken) * UNIT_BYTES);
    pacing_note_cycle(cycle->swept.live_bytes, cycle->swept.freed_bytes);
}

/* One line, in one write: the unit of time is a microsecond. */
static void log_cycle(const struct cycle *cycle)
{
    struct history history;
    char buffer[512];
    struct text text = text_in(buffer, sizeof buffer);
    history_get(&history);
    text_add(&text, "gcalloc: gc %lu (%s): ", history.kinds[HISTORY_FULL].cycles, reason_names[cycle->reason]);
    if (cycle->result != 0) {
        text_add(&text, "abandoned, error %d\n", -cycle->result);
    } else {
        text_add(&text, "%lu us, marked in %lu us, scanned ", history.pause_ns_last / 1000,
                 (cycle->marked_ns - cycle->stopped_ns) / 1000);
        text_add_size(&text, marker.scanned_bytes);
        text_add(&text, "; freed %lu blocks, ", cycle->swept.freed_blocks);
        text_add_size(&text, cycle->swept.freed_bytes);
        text_add(&text, "; %lu blocks live, ", cycle->swept.live_blocks);
        text_add_size(&text, cycle->swept.live_bytes);
        text_add(&text, " in ");
        text_add_size(&text, atomic_load(&image_now->units_taken) * UNIT_BYTES);
        text_add(&text, "\n");
    }
    message_write(&text);
}

static void run_stopped(void *context)
{
    struct cycle *cycle = context;
    pause_begin();
    lock_heap();
    cycle->result = stop_begin();
    cycle->stopped_ns = os_clock_ns();
    bool is_stopped = cycle->result == 0;
    if (is_stopped)
        cycle->result = mark_all(cycle);
    unlock_heap();
    if (is_stopped)
        stop_end();
    cycle->marked_ns = os_clock_ns();
    pause_end();
    trace_phase("mark", cycle->stopped_ns, cycle->marked_ns);
}

static void run(struct cycle *cycle)
{
    cycle->start_ns = os_clock_ns();
    thread_heap_rebuild();
    cycle->result = area_need(&worklist_area, WORKLIST_ITEMS * sizeof(struct work));
    if (cycle->result == 0)
        stop_spill(run_stopped, cycle);
    if (cycle->result != 0)
        return;
    sweep_all(&cycle->swept);
    cycle->end_ns = os_clock_ns();
    trace_phase("sweep", cycle->marked_ns, cycle->end_ns);
    if (must_check())
        stop_spill(check_heap, NULL);
}

int cycle_collect(enum cycle_reason reason)
{
    bool is_optional = reason != CYCLE_ASKED && reason != CYCLE_EXHAUSTED;
    if (is_optional && atomic_load_explicit(&disabled, memory_order_relaxed) > 0)
        return -ECANCELED;
    struct thread_heap *heap = thread_heap_get();
    if (heap == NULL)
        return -ENOMEM;
    thread_heap_done(heap);
    struct cycle cycle = {.reason = reason, .result = begin(reason)};
    if (cycle.result != 0)
        return cycle.result;
    run(&cycle);
    if (cycle.result == 0) {
        note(&cycle);
        white_end();
        area_trim(&worklist_area, WORKLIST_BYTES_KEPT);
    } else {
        history_note_failure();
        pacing_note_failure();
        if (cycle.result == -EOPNOTSUPP)
            cycle_disable(); /* the next one would fare no better */
    }
    if (options_now()->gc_log)
        log_cycle(&cycle);
    trace_write();
    end();
    finalize_announce();
    return cycle.result;
}

/* ---- what makes one begin ---- */

static void on_allocating(void)
{
    uint64_t count = atomic_fetch_add_explicit(&slow_paths, 1, memory_order_relaxed) + 1;
    if (count % options_now()->collect_every != 0)
        return;
    struct thread_heap *heap = thread_heap_peek();
    if (heap != NULL)
        thread_heap_flush(heap); /* so that the next allocation takes a slow path, too, and finds what was freed */
    cycle_collect(CYCLE_TORTURE);
}

static bool on_growing(size_t unit_count)
{
    if (pacing_is_due(unit_count))
        return cycle_collect(CYCLE_GROWN) == 0;
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

int cycle_start(void)
{
    static struct heap_collector collector = {
        .growing = on_growing,
        .exhausted = on_exhausted,
        .lock = lock_own,
        .unlock = unlock_own,
        .lock_reset = reset_own,
    };
    if (options_now()->collect_every != 0)
        collector.allocating = on_allocating;
    gc_settings_start();
    int result = threads_start();
    if (result == 0)
        result = stop_start();
    if (result == 0)
        result = history_start();
    is_active = result == 0;
    if (is_active)
        heap_collector = &collector;
    return result;
}

bool gc_active(void)
{
    return is_active;
}

void cycle_disable(void)
{
    atomic_fetch_add_explicit(&disabled, 1, memory_order_relaxed);
}

void cycle_enable(void)
{
    atomic_fetch_sub_explicit(&disabled, 1, memory_order_relaxed);
}
