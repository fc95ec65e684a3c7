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
#include "gc/trawl.h"
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
    FAILURES_MAX = 16, /* in a row */
    FAILED_BUDGETS_MAX = 8,
    COST_HIGH =
        24, /* more than one part in so many of the time goes into sweeps: the budget doubles */
    COST_LOW = 96,
    FACTOR_MAX = 4,
    PIECE_BYTES_MIN = 256 * 1024,
    PIECE_BYTES_MAX = 1024 * 1024,
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
static uint64_t last_work_ns;      /* of the process, when the last sweep ended */
static _Atomic size_t read_bytes;  /* by the last one */
static _Atomic bool is_trawling;   /* a sweep is under way, piece by piece */

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
    if (is_trawling)
        trawl_forget();
    is_trawling = false;
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

/* All other threads are stopped, and the heap's locks are held. */
static int search_all(void)
{
    for (struct span *span = span_from(0); span != NULL;
         span = span_from(span->first_unit + span->unit_count))
        pointed_note_span(&pointed, span);
    int result = roots_scan(look_at_root, NULL);
    if (result != 0)
        return result;
    pointed.unreadable = roots_unreadable(&pointed.unreadable_count);
    for (struct span *span = span_from(0); span != NULL;
         span = span_from(span->first_unit + span->unit_count))
        pointed_span(&pointed, span);
    return 0;
}

/* What a stop is for. */
enum stop_work { STOP_SEARCH, STOP_TURN, STOP_FINISH };

struct sweep {
    enum stop_work work;
    int result;
    uint64_t start_ns;
    uint64_t resumed_ns;
};

static int work_stopped(enum stop_work work)
{
    int result = 0;
    if (work != STOP_FINISH) {
        limbo_turn();
        result = pointed_begin(&pointed);
    }
    if (result != 0 || work == STOP_TURN)
        return result;
    if (work == STOP_SEARCH || !trawl_is_complete())
        return search_all();
    trawl_finish();
    return roots_scan(look_at_root, NULL);
}

static void stop_and_work(void *context)
{
    struct sweep *sweep = context;
    heap_lock_all();
    sweep->result = stop_begin();
    sweep->start_ns = os_clock_ns();
    if (sweep->result == 0)
        sweep->result = work_stopped(sweep->work);
    else
        sweep->result = -EAGAIN;
    heap_unlock_all();
    if (stop_count() != 0)
        stop_end();
    sweep->resumed_ns = os_clock_ns();
}

static int stop_for(enum stop_work work)
{
    struct sweep sweep = {.work = work};
    exclude_others();
    stop_spill(stop_and_work, &sweep);
    admit_others();
    uint64_t pause_ns = sweep.resumed_ns - sweep.start_ns;
    totals.pause_ns += pause_ns;
    totals.pause_ns_max = pause_ns > totals.pause_ns_max ? pause_ns : totals.pause_ns_max;
    return sweep.result;
}

/* A share of the heap, or of what a sweep reads where that is more: a program may keep most of its memory elsewhere. */
static size_t budget_bytes(void)
{
    size_t heap_bytes = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed)
                        << UNIT_SHIFT;
    size_t held_bytes = limbo_bytes_now();
    size_t live_bytes = heap_bytes > held_bytes ? heap_bytes - held_bytes : 0;
    size_t cost_bytes = atomic_load_explicit(&read_bytes, memory_order_relaxed);
    size_t share_bytes =
        (cost_bytes > live_bytes ? cost_bytes : live_bytes) / options_now()->quarantine_share;
    size_t least_bytes = options_now()->quarantine_min;
    return share_bytes > least_bytes
               ? share_bytes
               : least_bytes * atomic_load_explicit(&factor, memory_order_relaxed);
}

/* A program that frees much for its size gets a larger budget, within limits: sweeps cost what it lives on, not what it frees. */
static void adapt(uint64_t cost_ns)
{
    uint64_t work_ns = os_process_work_ns();
    uint64_t interval_ns = work_ns - last_work_ns + 1;
    size_t now = atomic_load_explicit(&factor, memory_order_relaxed);
    if (cost_ns * COST_HIGH > interval_ns && now < FACTOR_MAX)
        atomic_store_explicit(&factor, now * 2, memory_order_relaxed);
    else if (cost_ns * COST_LOW < interval_ns && now > 1)
        atomic_store_explicit(&factor, now / 2, memory_order_relaxed);
    last_work_ns = work_ns;
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

/*
 * The next attempt waits for another budget. When many came to nothing, and much is held by now, what was held longest goes, since memory
 * must not grow without bound; the attempt after that may succeed again.
 */
COLD static int fail(int result)
{
    size_t held_bytes = limbo_since_turn();
    totals.abandoned++;
    atomic_store_explicit(&retry_bytes, held_bytes + budget_bytes(), memory_order_relaxed);
    if (++failures < FAILURES_MAX || held_bytes < FAILED_BUDGETS_MAX * budget_bytes())
        return result;
    failures = 0;
    atomic_store_explicit(&retry_bytes, 0, memory_order_relaxed);
    release_by_age();
    return result;
}

static void note_sweep(uint64_t cost_ns)
{
    failures = 0;
    atomic_store_explicit(&retry_bytes, 0, memory_order_relaxed);
    totals.sweeps++;
    totals.sweep_ns += cost_ns;
    totals.scanned_bytes += pointed.scanned_bytes;
    atomic_store_explicit(&read_bytes, pointed.scanned_bytes, memory_order_relaxed);
    adapt(cost_ns);
}

/* ---- piece by piece, see gc/trawl.h ---- */

static size_t trawl_rate;      /* bytes to read for each byte that is freed meanwhile */
static uint64_t trawl_cost_ns; /* so far */

static int begin_trawl(void)
{
    uint64_t start_ns = os_thread_work_ns();
    size_t heap_bytes = atomic_load_explicit(&image_now->units_used, memory_order_relaxed)
                        << UNIT_SHIFT;
    int result = stop_for(STOP_TURN);
    if (result != 0)
        return fail(result);
    trawl_start(&pointed);
    trawl_rate = 2 * heap_bytes / budget_bytes() + 1;
    trawl_cost_ns = os_thread_work_ns() - start_ns;
    atomic_store_explicit(&is_trawling, true, memory_order_relaxed);
    return 0;
}

static int finish_trawl(void)
{
    uint64_t start_ns = os_thread_work_ns();
    atomic_store_explicit(&is_trawling, false, memory_order_relaxed);
    int result = stop_for(STOP_FINISH);
    trawl_end();
    if (result != 0)
        return fail(result);
    release();
    uint64_t end_ns = os_thread_work_ns();
    totals.trawls++;
    note_sweep(trawl_cost_ns + end_ns - start_ns);
    return 0;
}

/* A program that frees faster than expected works it off, so that what is held stays bounded. */
static void trawl_on(size_t more_bytes, size_t since_turn_bytes)
{
    uint64_t start_ns = os_thread_work_ns();
    size_t wanted = more_bytes * trawl_rate;
    size_t piece = wanted < PIECE_BYTES_MIN   ? PIECE_BYTES_MIN
                   : wanted > PIECE_BYTES_MAX ? PIECE_BYTES_MAX
                                              : wanted;
    bool is_late = since_turn_bytes > 2 * budget_bytes();
    bool is_done;
    do
        is_done = trawl_step(piece);
    while (is_late && !is_done);
    trawl_cost_ns += os_thread_work_ns() - start_ns;
    if (is_done)
        finish_trawl();
}

static void finish_trawl_now(void)
{
    while (!trawl_step(PIECE_BYTES_MAX)) {
    }
    finish_trawl();
}

static bool must_trawl(void)
{
    size_t taken = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed);
    return heap_collector == NULL && taken >= options_now()->quarantine_stop >> UNIT_SHIFT &&
           trawl_is_possible();
}

/* ---- a sweep ---- */

/* The sweep lock is held. What was begun ends first, since what is held by now is not looked for in it. */
static int sweep_once(void)
{
    if (os_process_id() != image_now->process_id)
        return -EPERM; /* the child of a vfork */
    if (is_trawling)
        finish_trawl_now();
    if (UNLIKELY(is_given_up)) {
        release_by_age();
        return 0;
    }
    uint64_t start_ns = os_thread_work_ns();
    int result = stop_for(STOP_SEARCH);
    if (result != 0)
        return fail(result);
    release();
    uint64_t end_ns = os_thread_work_ns();
    note_sweep(end_ns - start_ns);
    return 0;
}

/* The sweep lock is held: one begins. */
static int sweep_or_begin(void)
{
    if (os_process_id() == image_now->process_id && !is_given_up && must_trawl())
        return begin_trawl();
    return sweep_once();
}

/* Whatever was found is reported without the lock. */
static void unlock(void)
{
    if (UNLIKELY(finding_count != 0))
        unlock_and_report();
    else
        lock_release(&sweep_lock);
}

int quarantine_sweep(void)
{
    struct thread_heap *heap = thread_heap_get();
    if (heap == NULL)
        return -ENOMEM;
    thread_heap_done(heap);
    lock_take(&sweep_lock);
    int result = sweep_once();
    unlock();
    return result;
}

/* ---- what makes one begin ---- */

static void on_held(size_t more_bytes, size_t since_turn_bytes)
{
    bool is_due = since_turn_bytes >= budget_bytes() &&
                  since_turn_bytes >= atomic_load_explicit(&retry_bytes, memory_order_relaxed);
    if ((!is_due && !atomic_load_explicit(&is_trawling, memory_order_relaxed)) ||
        !lock_try(&sweep_lock))
        return;
    if (os_process_id() != image_now->process_id)
        ; /* the child of a vfork */
    else if (is_trawling)
        trawl_on(more_bytes, since_turn_bytes);
    else if (is_due)
        sweep_or_begin();
    unlock();
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
    last_work_ns = os_process_work_ns();
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

void quarantine_abandon(void)
{
    if (!quarantine_active())
        return;
    lock_take(&sweep_lock);
    if (is_trawling) {
        is_trawling = false;
        trawl_end();
        totals.abandoned++;
    }
    lock_release(&sweep_lock);
}

void quarantine_note_protection(void)
{
    if (quarantine_active())
        trawl_forbid();
}

void quarantine_get_totals(struct quarantine_totals *totals_out)
{
    lock_take(&sweep_lock);
    *totals_out = totals;
    lock_release(&sweep_lock);
}
