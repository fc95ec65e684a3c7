/*
 * gc/cycle: a collection from beginning to end.
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
#include "gc/background.h"
#include "gc/check.h"
#include "gc/concurrent.h"
#include "gc/crew.h"
#include "gc/cycle_run.h"
#include "gc/finalize.h"
#include "gc/ledger.h"
#include "gc/old.h"
#include "gc/outcome.h"
#include "gc/pacing.h"
#include "gc/pause.h"
#include "gc/present.h"
#include "gc/roots.h"
#include "gc/stop.h"
#include "gc/trace.h"
#include "gc/written.h"
#include "heap/birth.h"
#include "heap/fork.h"
#include "heap/thread.h"
#include "heap/verify.h"
#include "os/helper.h"
#include "os/thread.h"

#include <errno.h>
#include <stdatomic.h>

enum { WORKLIST_BYTES_KEPT = 64 * 1024, DRAIN_ITEMS = 1024 };

static struct lock cycle_lock;
static _Atomic uint32_t wanted; /* threads that wait for the lock */
static _Atomic int32_t disabled;
static struct area worklist_area;

struct marker cycle_marker;

struct work *cycle_items(void)
{
    return (struct work *)worklist_area.start;
}

/* ---- one at a time ---- */

/* Who waits for the lock is let in by the helper. */
void cycle_take(void)
{
    atomic_fetch_add(&wanted, 1);
    lock_take(&cycle_lock);
    atomic_fetch_sub(&wanted, 1);
}

bool cycle_is_wanted(void)
{
    return UNLIKELY(wanted != 0);
}

/* The helper's, who gave way and wants nothing from others that wait. */
void cycle_take_back(void)
{
    lock_take(&cycle_lock);
}

void cycle_give_way(void)
{
    if (!cycle_is_wanted())
        return;
    cycle_release();
    while (cycle_is_wanted())
        os_helper_yield();
    cycle_take_back();
}

void cycle_release(void)
{
    lock_release(&cycle_lock);
}

void cycle_lock_reset(void)
{
    lock_reset(&cycle_lock);
    wanted = 0;
}

int cycle_begin(enum cycle_reason reason)
{
    if (os_process_id() != image_now->process_id)
        return -EPERM;
    if (reason == CYCLE_ASKED || reason == CYCLE_EXHAUSTED)
        cycle_take();
    else if (!lock_try(&cycle_lock))
        return -EBUSY;
    return 0;
}

/* ---- marking ---- */

static void mark_root_range(const void *start, const void *end, unsigned step_bytes, void *context)
{
    (void)context;
    cycle_marker.unreadable = roots_unreadable(&cycle_marker.unreadable_count);
    cycle_marker.distances = roots_hold_distances();
    mark_range(&cycle_marker, start, end, step_bytes);
    if (cycle_marker.list.count > DRAIN_ITEMS)
        crew_drain(&cycle_marker, crew_size_stopped(), NULL);
}

uint32_t cycle_next_birth(void)
{
    return image_now->birth % (BIRTH_COUNT - 1) + 1;
}

/*
 * All threads but this one are stopped, and the heap's locks are held. -ENOTSUP: where parts of blocks can't be read, or more than
 * the table of units is needed, only a full one will do.
 */
static int mark_young(struct cycle *cycle)
{
    uint32_t young = image_now->birth, birth = cycle_next_birth();
    if (young == BIRTH_OLD || class_rule.bias != 0 || !white_may_be_born(birth) || concurrent_check_roots() != 0)
        return -ENOTSUP;
    white_rule_young(&cycle->rule, young, birth);
    int result = white_start(&cycle->rule);
    if (result != 0)
        return result;
    heap_birth_set(birth);
    present_look(white_sparse_bytes);
    mark_start(&cycle_marker, cycle_items(), CYCLE_ITEMS);
    result = roots_scan(mark_root_range, NULL);
    if (result == 0)
        result = concurrent_check_roots();
    if (result == 0) {
        old_mark(&cycle_marker, young);
        if (options_now()->mark_check != 0)
            check_marks(cycle_items(), CYCLE_ITEMS, false);
        finalize_after_mark(&cycle_marker);
    }
    return result;
}

/* Likewise. */
static int mark_all(struct cycle *cycle)
{
    uint32_t birth = cycle_next_birth();
    white_rule_full(&cycle->rule, birth);
    int result = white_start(&cycle->rule);
    if (result != 0)
        return result;
    heap_birth_set(birth);
    background_renew();
    present_look(white_sparse_bytes);
    mark_start(&cycle_marker, cycle_items(), CYCLE_ITEMS);
    result = roots_scan(mark_root_range, NULL);
    if (result == 0 && roots_are_hidden())
        result = -EOPNOTSUPP;
    if (result == 0) {
        crew_drain(&cycle_marker, crew_size_stopped(), NULL);
        finalize_after_mark(&cycle_marker);
    }
    return result;
}

static int mark(struct cycle *cycle)
{
    int result = cycle->is_young ? mark_young(cycle) : -ENOTSUP;
    if (result != -ENOTSUP)
        return result;
    cycle->is_young = false;
    return mark_all(cycle);
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

static void run_stopped(void *context)
{
    struct cycle *cycle = context;
    if (cycle->yield == NULL)
        pause_begin();
    roots_lock();
    lock_heap();
    cycle->stopped_ns = os_clock_ns();
    cycle->result = stop_begin();
    bool is_stopped = cycle->result == 0;
    if (is_stopped)
        cycle->result = mark(cycle);
    present_forget();
    unlock_heap();
    if (is_stopped)
        stop_end();
    roots_unlock();
    cycle->marked_ns = os_clock_ns();
    if (cycle->yield != NULL)
        pause_note(cycle->stopped_ns, cycle->marked_ns);
    else
        pause_end();
    trace_phase("mark", cycle->stopped_ns, cycle->marked_ns);
}

int cycle_prepare(struct cycle *cycle)
{
    cycle->start_ns = os_clock_ns();
    thread_heap_rebuild();
    return area_need(&worklist_area, CYCLE_ITEMS * sizeof(struct work));
}

/* Who gets a turn in between may make white bytes of his own: then what is left is found by the next cycle. */
static void sweep(struct cycle *cycle)
{
    enum { PIECE_UNITS = 256 };
    size_t unit = 0;
    cycle->white_serial = white_serial;
    cycle->swept = (struct sweep_result){0};
    while (unit != SIZE_MAX && white_serial == cycle->white_serial) {
        unit = sweep_some(unit, PIECE_UNITS, &cycle->swept);
        if (cycle->yield != NULL)
            cycle->yield();
        else
            cycle_give_way();
    }
}

/* The sweep takes old blocks for marked ones where there are young ones beside. */
static void count_young(struct sweep_result *swept)
{
    swept->live_blocks = white_candidate_blocks > swept->freed_blocks ? white_candidate_blocks - swept->freed_blocks : 0;
    swept->live_bytes = white_candidate_bytes > swept->freed_bytes ? white_candidate_bytes - swept->freed_bytes : 0;
}

void cycle_sweep(struct cycle *cycle)
{
    pacing_begin_sweep();
    sweep(cycle);
    pacing_end_sweep();
    if (cycle->is_young)
        count_young(&cycle->swept);
    cycle->end_ns = os_clock_ns();
    trace_phase("sweep", cycle->marked_ns, cycle->end_ns);
    if (must_check())
        stop_spill(check_heap, NULL);
}

int cycle_mark_stopped(struct cycle *cycle)
{
    stop_spill(run_stopped, cycle);
    return cycle->result;
}

void cycle_conclude(struct cycle *cycle)
{
    outcome_note(cycle);
    if (cycle->result == 0 && white_serial == cycle->white_serial) { /* else they are another's by now, who is not done perhaps */
        white_end();
        area_trim(&worklist_area, WORKLIST_BYTES_KEPT);
    } else if (cycle->result == -EOPNOTSUPP) {
        cycle_disable(); /* the next one would fare no better */
    }
    if (options_now()->gc_log)
        outcome_log(cycle);
    trace_write();
}

static int collect(enum cycle_reason reason, bool is_young)
{
    bool is_optional = reason != CYCLE_ASKED && reason != CYCLE_EXHAUSTED;
    if (is_optional && cycle_is_disabled())
        return -ECANCELED;
    struct thread_heap *heap = thread_heap_get();
    if (heap == NULL)
        return -ENOMEM;
    thread_heap_done(heap);
    struct cycle cycle = {.reason = reason, .is_young = is_young, .result = cycle_begin(reason)};
    if (cycle.result != 0)
        return cycle.result;
    cycle.result = cycle_prepare(&cycle);
    if (cycle.result == 0)
        cycle_mark_stopped(&cycle);
    if (cycle.result == 0)
        cycle_sweep(&cycle);
    cycle_conclude(&cycle);
    cycle_release();
    finalize_announce();
    return cycle.result;
}

int cycle_collect(enum cycle_reason reason)
{
    return collect(reason, false);
}

int cycle_collect_young(enum cycle_reason reason)
{
    return collect(reason, true);
}

int cycle_set_tracking(bool by_program)
{
    cycle_take();
    int result = 0;
    if (by_program)
        result = written_by_program();
    else
        written_by_kernel();
    cycle_release();
    return result;
}

bool cycle_is_disabled(void)
{
    return atomic_load_explicit(&disabled, memory_order_relaxed) > 0;
}

void cycle_disable(void)
{
    atomic_fetch_add_explicit(&disabled, 1, memory_order_relaxed);
}

void cycle_enable(void)
{
    atomic_fetch_sub_explicit(&disabled, 1, memory_order_relaxed);
}
