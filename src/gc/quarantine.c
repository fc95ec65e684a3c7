/*
 * gc/quarantine: when held blocks may be used again.
 *
 * A sweep is due when what was held since the last one exceeds a budget. The thread whose free() exceeds it sweeps: it stops all others, turns
 * the mark, reads the roots and what is allocated, and lets them go on; then it releases what nothing points to.
 *
 * Uses os, base, heap. Locks: that of the sweep, outermost of all; the collector's or the roots', and the heap's, inside.
 */
#include "gc/quarantine.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "base/image.h"
#include "base/lock.h"
#include "base/message.h"
#include "gc/cycle.h"
#include "gc/pointed.h"
#include "gc/roots.h"
#include "gc/stop.h"
#include "gc/threads.h"
#include "heap/collector.h"
#include "heap/fork.h"
#include "heap/limbo.h"
#include "heap/misuse.h"
#include "heap/thread.h"
#include "os/thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum {
    FINDINGS_MAX = 8,
    FAILURES_MAX = 16, /* in a row: then threads can't be stopped at all */
    COST_HIGH =
        24, /* more than one part in so many of the time goes into sweeps: the budget doubles */
    COST_LOW = 96,
    FACTOR_MAX = 4,
};

struct finding {
    const void *block;
    size_t size_bytes;
    size_t offset_bytes;
};

static struct lock sweep_lock;
static struct pointed pointed;
static struct quarantine_totals totals;
static struct finding findings[FINDINGS_MAX];
static uint32_t finding_count;
static uint32_t failures;
static _Atomic bool is_given_up;
static _Atomic size_t retry_bytes; /* after a sweep in vain: the next when so much is held */
static _Atomic size_t factor = 1;  /* of the budget, by what sweeps cost */
static uint64_t last_end_ns;

/* ---- locks ---- */

static void lock_own(void)
{
    lock_take(&sweep_lock);
    if (heap_collector == NULL)
        roots_lock();
}

static void unlock_own(void)
{
    if (heap_collector == NULL)
        roots_unlock();
    lock_release(&sweep_lock);
}

static void reset_own(void)
{
    lock_reset(&sweep_lock);
    if (heap_collector == NULL)
        roots_lock_reset();
}

/* The sweep lock is held. No collection is under way meanwhile, and nobody else reads the roots. */
static void exclude_others(void)
{
    if (heap_collector != NULL)
        heap_collector->lock();
    else
        roots_lock();
}

static void admit_others(void)
{
    if (heap_collector != NULL)
        heap_collector->unlock();
    else
        roots_unlock();
}

/* ---- what is found ---- */

static void note_change(const struct limbo_change *change)
{
    if (finding_count < FINDINGS_MAX)
        findings[finding_count++] =
            (struct finding){change->block, change->size_bytes, change->offset_bytes};
}

/* Without a lock, since the program's handler of SIGABRT may allocate. The blocks are still held. */
COLD static void unlock_and_report(void)
{
    struct finding found[FINDINGS_MAX];
    uint32_t count = finding_count;
    memcpy(found, findings, sizeof found);
    finding_count = 0;
    lock_release(&sweep_lock);
    bool aborts = options_now()->quarantine_report == QUARANTINE_ABORT;
    for (uint32_t i = 0; i < count; i++)
        misuse_write_after_free(found[i].block, found[i].size_bytes, found[i].offset_bytes,
                                aborts && i + 1 == count);
}

/* ---- a sweep ---- */

static void look_at_root(const void *start, const void *end, unsigned step_bytes, void *context)
{
    (void)context;
    pointed_range(&pointed, start, end, step_bytes);
}

static int search(void)
{
    limbo_turn();
    int result = pointed_start(&pointed);
    if (result == 0)
        result = roots_scan(look_at_root, NULL);
    if (result != 0)
        return result;
    pointed.unreadable = roots_unreadable(&pointed.unreadable_count);
    for (struct span *span = span_from(0); span != NULL;
         span = span_from(span->first_unit + span->unit_count))
        pointed_span(&pointed, span);
    return 0;
}

struct sweep {
    int result;
    uint64_t start_ns;
    uint64_t resumed_ns;
};

static void search_stopped(void *context)
{
    struct sweep *sweep = context;
    heap_lock_all();
    sweep->result = stop_begin();
    sweep->start_ns = os_clock_ns();
    if (sweep->result == 0) {
        sweep->result = search();
        heap_unlock_all();
        stop_end();
    } else {
        heap_unlock_all();
    }
    sweep->resumed_ns = os_clock_ns();
}

static size_t budget_bytes(void)
{
    size_t heap_bytes = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed)
                        << UNIT_SHIFT;
    size_t held_bytes = limbo_bytes_now();
    size_t live_bytes = heap_bytes > held_bytes ? heap_bytes - held_bytes : 0;
    size_t share_bytes = live_bytes / options_now()->quarantine_share;
    size_t least_bytes = options_now()->quarantine_min;
    return share_bytes > least_bytes
               ? share_bytes
               : least_bytes * atomic_load_explicit(&factor, memory_order_relaxed);
}

/* A program that frees much for its size gets a larger budget, within limits: sweeps cost what it lives on, not what it frees. */
static void adapt(uint64_t start_ns, uint64_t end_ns)
{
    uint64_t cost_ns = end_ns - start_ns;
    uint64_t interval_ns = start_ns - last_end_ns + 1;
    size_t now = atomic_load_explicit(&factor, memory_order_relaxed);
    if (cost_ns * COST_HIGH > interval_ns && now < FACTOR_MAX)
        atomic_store_explicit(&factor, now * 2, memory_order_relaxed);
    else if (cost_ns * COST_LOW < interval_ns && now > 1)
        atomic_store_explicit(&factor, now / 2, memory_order_relaxed);
    last_end_ns = end_ns;
}

static void add_result(const struct limbo_result *result)
{
    totals.released_blocks += result->released_blocks;
    totals.released_bytes += result->released_bytes;
    totals.changed_blocks += result->changed_blocks;
    totals.held_blocks = result->kept_blocks;
    totals.held_bytes = result->kept_bytes;
}

static void release(void)
{
    struct limbo_result result;
    limbo_release(options_now()->quarantine_report == QUARANTINE_SILENT ||
                          options_now()->wipe == WIPE_NO
                      ? NULL
                      : note_change,
                  &result);
    add_result(&result);
}

/* Nobody knows what is pointed to any more, but memory must not grow without bound: what was held for a whole turn goes. */
COLD static void release_by_age(void)
{
    limbo_turn_unwatched();
    release();
    totals.by_age++;
}

COLD static int fail(int result)
{
    totals.abandoned++;
    failures++;
    atomic_store_explicit(&retry_bytes, limbo_since_turn() + budget_bytes(), memory_order_relaxed);
    if (failures == FAILURES_MAX)
        is_given_up = true;
    return result;
}

/* The sweep lock is held. */
static int sweep_once(void)
{
    struct sweep sweep = {.result = 0};
    if (os_process_id() != image_now->process_id)
        return -EPERM; /* the child of a vfork */
    if (UNLIKELY(is_given_up)) {
        release_by_age();
        return 0;
    }
    exclude_others();
    stop_spill(search_stopped, &sweep);
    admit_others();
    if (sweep.result != 0)
        return fail(sweep.result);
    failures = 0;
    atomic_store_explicit(&retry_bytes, 0, memory_order_relaxed);
    release();
    uint64_t end_ns = os_clock_ns();
    uint64_t pause_ns = sweep.resumed_ns - sweep.start_ns;
    totals.sweeps++;
    totals.pause_ns += pause_ns;
    totals.pause_ns_max = pause_ns > totals.pause_ns_max ? pause_ns : totals.pause_ns_max;
    totals.sweep_ns += end_ns - sweep.start_ns;
    totals.scanned_bytes += pointed.scanned_bytes;
    adapt(sweep.start_ns, end_ns);
    return 0;
}

/* The sweep lock is held and released. */
static int sweep_and_report(void)
{
    int result = sweep_once();
    if (UNLIKELY(finding_count != 0))
        unlock_and_report();
    else
        lock_release(&sweep_lock);
    return result;
}

int quarantine_sweep(void)
{
    struct thread_heap *heap = thread_heap_get();
    if (heap == NULL)
        return -ENOMEM;
    thread_heap_done(heap);
    lock_take(&sweep_lock);
    return sweep_and_report();
}

/* ---- what makes one begin ---- */

static void on_held(size_t more_bytes, size_t since_turn_bytes)
{
    (void)more_bytes;
    if (since_turn_bytes < atomic_load_explicit(&retry_bytes, memory_order_relaxed) ||
        since_turn_bytes < budget_bytes() || !lock_try(&sweep_lock))
        return;
    sweep_and_report();
}

/* Twice: what was held since the last turn begins as no candidate, and what was pointed to then may not be any more. */
static void on_exhausted(void)
{
    if (quarantine_sweep() != 0 || !options_now()->quarantine_yields)
        return;
    lock_take(&sweep_lock);
    release_by_age();
    release_by_age();
    lock_release(&sweep_lock);
}

static const struct heap_quarantine quarantine = {
    .held = on_held,
    .exhausted = on_exhausted,
    .lock = lock_own,
    .unlock = unlock_own,
    .lock_reset = reset_own,
};

int quarantine_start(void)
{
    int result = gc_active() ? 0 : threads_start();
    if (result == 0 && !gc_active())
        result = stop_start();
    /* Where the slots start is where the first block starts: not for ever. */
    if (result == 0)
        result = roots_hide(&heap_layout, sizeof heap_layout);
    if (result == 0)
        result = roots_hide(&pointed, sizeof pointed);
    last_end_ns = os_clock_ns();
    if (result == 0)
        heap_quarantine = &quarantine;
    else
        limbo_end();
    return result;
}

bool quarantine_active(void)
{
    return heap_quarantine != NULL;
}

void quarantine_give_up(void)
{
    is_given_up = true;
}

void quarantine_get_totals(struct quarantine_totals *totals_out)
{
    lock_take(&sweep_lock);
    *totals_out = totals;
    lock_release(&sweep_lock);
}
