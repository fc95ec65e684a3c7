/*
 * gc/cycle: a collection from beginning to end, and what makes one begin.
 *
 * A cycle takes all locks of the heap, so that no table is in the middle of a change, stops all other threads, and gives
 * the blocks allocated from then on another birth. It marks, lets go of the locks and the threads, and sweeps while they
 * run. If any step fails, nothing is freed: the heap grows instead.
 *
 * Where marking takes long the helper does all of it, in the background. It holds the cycle's lock meanwhile, and gives way
 * between two steps: to a fork; or to who collects at once, and then its own cycle is void.
 *
 * Uses os, base, heap. Locks: that of the cycle, outermost of all; the heap's inside.
 */
#include "gc/cycle.h"

#include "base/image.h"
#include "base/lock.h"
#include "base/message.h"
#include "gc/area.h"
#include "gc/check.h"
#include "gc/concurrent.h"
#include "gc/finalize.h"
#include "gc/helper.h"
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
#include "heap/large.h"
#include "heap/runs.h"
#include "heap/thread.h"
#include "heap/verify.h"
#include "os/helper.h"
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
    bool is_in_background;
    bool is_young;
    uint32_t rounds;       /* of what was written while marking; 0 when all was done in one stop */
    uint64_t last_pages;
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
static _Atomic uint32_t wanted;           /* threads that wait for the lock */
static _Atomic uint32_t is_in_background; /* 1 while a cycle runs on the helper */
static _Atomic bool is_denied;            /* no cycle may, any more */
static uint64_t full_cost_ns;             /* of marking all in one stop, roughly; when it was done last */
static uint64_t full_scanned_bytes;
static _Atomic size_t units_then;         /* taken after the last cycle */
static bool young_pays;
static bool is_void;                      /* the one in the background, since another began after it */

/* ---- one at a time ---- */

/* Who waits for the lock is let in by the helper. */
static void take_cycle(void)
{
    atomic_fetch_add(&wanted, 1);
    lock_take(&cycle_lock);
    atomic_fetch_sub(&wanted, 1);
}

static void lock_own(void)
{
    take_cycle();
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

/* What the helper was at in the parent ends here, without trace: nothing has been freed, or only some. */
static void reset_own(void)
{
    lock_reset(&cycle_lock);
    roots_lock_reset();
    ledger_lock_reset();
    pressure_lock_reset();
    pause_lock_reset();
    history_lock_reset();
    helper_forget();
    large_fix(false);
    is_in_background = 0;
    wanted = 0;
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
        take_cycle();
    else if (!lock_try(&cycle_lock))
        return -EBUSY;
    return 0;
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

static uint32_t next_birth(void)
{
    return image_now->birth % (BIRTH_COUNT - 1) + 1;
}

/* All threads but this one are stopped, and the heap's locks are held. */
static int mark_all(struct cycle *cycle)
{
    uint32_t birth = next_birth();
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

/* Young cycles go on as long as they free a quarter of what they look at, and read much less than a full one. */
static void note_generations(const struct cycle *cycle)
{
    enum { BLOCK_NS = 30, BYTES_A_NS = 1, PAYS_PART = 4 };
    const struct sweep_result *swept = &cycle->swept;
    units_then = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed);
    if (cycle->is_young) {
        young_pays = swept->freed_bytes >= (swept->freed_bytes + swept->live_bytes) / PAYS_PART &&
                     marker.scanned_bytes < full_scanned_bytes / 2;
        return;
    }
    young_pays = true;
    full_scanned_bytes = marker.scanned_bytes;
    full_cost_ns = marker.blocks * BLOCK_NS + marker.scanned_bytes / BYTES_A_NS;
    pacing_note_cycle(swept->live_bytes, swept->freed_bytes);
}

static void note(const struct cycle *cycle)
{
    history_note_cycle(&(struct history_cycle){
        .kind = cycle->is_young ? HISTORY_YOUNG : HISTORY_FULL,
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
    note_generations(cycle);
}

/* One line, in one write: the unit of time is a microsecond. */
static void log_cycle(const struct cycle *cycle)
{
    struct history history;
    char buffer[512];
    struct text text = text_in(buffer, sizeof buffer);
    history_get(&history);
    text_add(&text, "gcalloc: gc %lu (%s): ", history.kinds[HISTORY_FULL].cycles + history.kinds[HISTORY_YOUNG].cycles, reason_names[cycle->reason]);
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
        if (cycle->rounds != 0)
            text_add(&text, "; %sbeside the program, %u rounds, %lu pages at the end",
                     cycle->is_young ? "young blocks, " : "", cycle->rounds, cycle->last_pages);
        text_add(&text, "\n");
    }
    message_write(&text);
}

static void run_stopped(void *context)
{
    struct cycle *cycle = context;
    if (!cycle->is_in_background)
        pause_begin();
    roots_lock();
    lock_heap();
    cycle->stopped_ns = os_clock_ns();
    cycle->result = stop_begin();
    bool is_stopped = cycle->result == 0;
    if (is_stopped)
        cycle->result = mark_all(cycle);
    unlock_heap();
    if (is_stopped)
        stop_end();
    roots_unlock();
    cycle->marked_ns = os_clock_ns();
    if (cycle->is_in_background)
        pause_note(cycle->stopped_ns, cycle->marked_ns);
    else
        pause_end();
    trace_phase("mark", cycle->stopped_ns, cycle->marked_ns);
}

static int prepare(struct cycle *cycle)
{
    cycle->start_ns = os_clock_ns();
    thread_heap_rebuild();
    return area_need(&worklist_area, WORKLIST_ITEMS * sizeof(struct work));
}

/* Gives way to who waits for the lock, if this is the helper. */
static bool yield(void)
{
    if (UNLIKELY(wanted != 0)) {
        lock_release(&cycle_lock);
        while (wanted != 0)
            os_helper_yield();
        lock_take(&cycle_lock);
    }
    return !is_void && !is_denied;
}

/* Who gets a turn in between may make white bytes of his own: then what is left is found by the next cycle. */
static void sweep(struct cycle *cycle)
{
    enum { PIECE_UNITS = 256 };
    uint32_t serial = white_serial;
    size_t unit = 0;
    cycle->swept = (struct sweep_result){0};
    do
        unit = sweep_some(unit, PIECE_UNITS, &cycle->swept);
    while (unit != SIZE_MAX && (!cycle->is_in_background || (yield(), white_serial == serial)));
}

static void sweep_and_check(struct cycle *cycle)
{
    sweep(cycle);
    cycle->end_ns = os_clock_ns();
    trace_phase("sweep", cycle->marked_ns, cycle->end_ns);
    if (must_check())
        stop_spill(check_heap, NULL);
}

static void run(struct cycle *cycle)
{
    cycle->result = prepare(cycle);
    is_void = true;
    if (cycle->result == 0)
        stop_spill(run_stopped, cycle);
    if (cycle->result == 0)
        sweep_and_check(cycle);
}

static void conclude(struct cycle *cycle)
{
    if (cycle->result == 0) {
        note(cycle);
        white_end();
        area_trim(&worklist_area, WORKLIST_BYTES_KEPT);
    } else if (cycle->result != -ECANCELED) {
        history_note_failure();
        pacing_note_failure();
        if (cycle->result == -EOPNOTSUPP)
            cycle_disable(); /* the next one would fare no better */
    }
    if (options_now()->gc_log)
        log_cycle(cycle);
    trace_write();
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
    conclude(&cycle);
    lock_release(&cycle_lock);
    finalize_announce();
    return cycle.result;
}

/* ---- in the background ---- */

static struct cycle background;

static void on_marked(void)
{
    if (options_now()->mark_check > background.is_young)
        check_marks((struct work *)worklist_area.start, WORKLIST_ITEMS);
    finalize_after_mark(&marker);
}

static void run_concurrent(struct cycle *cycle)
{
    struct concurrent phases = {
        .marker = &marker,
        .items = (struct work *)worklist_area.start,
        .item_count = WORKLIST_ITEMS,
        .birth = next_birth(),
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
    cycle->result = prepare(cycle);
    is_void = false;
    if (cycle->result == 0)
        run_concurrent(cycle);
    if (cycle->result == 0) {
        sweep_and_check(cycle);
    } else if (cycle->result == -ENOTSUP) {
        cycle->is_young = false;
        if (white_may_be_born(next_birth()))
            is_denied = true;
        run(cycle);
    }
    conclude(cycle);
    lock_release(&cycle_lock);
    is_in_background = 0;
    os_futex_wake((const uint32_t *)&is_in_background, INT32_MAX);
    finalize_announce();
}

static bool is_worth_while(void)
{
    enum { NS_A_US = 1000 };
    uint64_t choice = options_now()->concurrent;
    bool is_tracked = options_now()->quarantine != 0; /* by whom there can be only one */
    if (is_denied || is_tracked || choice == CONCURRENT_NEVER || atomic_load_explicit(&disabled, memory_order_relaxed) > 0)
        return false;
    return choice == CONCURRENT_ALWAYS || full_cost_ns > gc_settings_now()->pause_us * NS_A_US;
}

/* The lock becomes the helper's. */
static void start_in_background(enum cycle_reason reason, bool is_young)
{
    if (is_in_background || begin(reason) != 0)
        return;
    background = (struct cycle){.reason = reason, .is_in_background = true, .is_young = is_young};
    is_in_background = 1;
    if (helper_give(run_in_background) == 0)
        return;
    is_in_background = 0;
    is_denied = true;
    lock_release(&cycle_lock);
}

/* The program allocates faster than the helper collects. */
static void wait_for_background(void)
{
    enum { WAIT_NS = 20000000, WAITS_MAX = 50 };
    for (int i = 0; i < WAITS_MAX && is_in_background; i++)
        os_futex_wait_for((const uint32_t *)&is_in_background, 1, WAIT_NS);
}

void cycle_end_helper(void)
{
    /* With the lock held and no cycle under way none begins: the helper does not wait for what we hold. */
    for (take_cycle(); is_in_background; take_cycle()) {
        is_void = true;
        lock_release(&cycle_lock);
        wait_for_background();
    }
    helper_quit();
    lock_release(&cycle_lock);
}

void cycle_deny_background(void)
{
    if (is_denied)
        return;
    is_denied = true;
    if (!is_in_background)
        return;
    take_cycle();
    is_void = true;
    lock_release(&cycle_lock);
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
    if (is_worth_while())
        start_in_background(CYCLE_TORTURE, count / options_now()->collect_every % 3 != 0);
    else
        cycle_collect(CYCLE_TORTURE);
}

static bool young_is_due(void)
{
    size_t taken = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed);
    size_t then = atomic_load_explicit(&units_then, memory_order_relaxed);
    return young_pays && taken > then && taken - then >= gc_settings_now()->young_bytes >> UNIT_SHIFT;
}

static bool on_growing(size_t unit_count)
{
    if (is_in_background) {
        bool waits = pacing_is_late(unit_count);
        if (waits)
            wait_for_background();
        return waits;
    }
    bool is_near = pacing_is_near(unit_count);
    if ((is_near || young_is_due()) && is_worth_while()) {
        start_in_background(CYCLE_GROWN, !is_near);
        return false;
    }
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
