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
#include "gc/allowance.h"
#include "gc/cycle.h"
#include "gc/findings.h"
#include "gc/helper.h"
#include "gc/pointed.h"
#include "gc/roots.h"
#include "gc/standstill.h"
#include "gc/stop.h"
#include "gc/threads.h"
#include "gc/trawl.h"
#include "heap/collector.h"
#include "heap/large.h"
#include "heap/limbo.h"
#include "heap/misuse.h"
#include "heap/thread.h"
#include "os/helper.h"
#include "os/thread.h"

#include <errno.h>
#include <stdatomic.h>

enum {
    FAILURES_MAX = 16, /* in a row */
    FAILED_BUDGETS_MAX = 8,
    LATE_FACTOR = 2, /* who frees waits for the end of a sweep, or does all that is left of it, when so many budgets are held */
    PIECE_BYTES_MIN = 256 * 1024,
    PIECE_BYTES_MAX = 1024 * 1024,
};

static struct lock sweep_lock;
static struct pointed pointed;
static struct quarantine_totals totals;
static uint32_t failures;
static _Atomic bool is_given_up;
static _Atomic size_t retry_bytes; /* after a sweep in vain: the next when so much is held */
static _Atomic bool is_trawling;   /* a sweep is under way, piece by piece */
static _Atomic uint32_t is_beside; /* by the helper: others leave it alone, and wait for this word to change */
static _Atomic uint32_t sweeping; /* so many threads of the program's sweep, or have done so and let go of the lock; likewise */
static _Atomic uint32_t waiting;  /* for that to change */
static _Atomic uint32_t wanted;    /* so many wait for the sweep lock, which the helper has most of the time */
static bool is_void;               /* the helper is to drop what it is at. Under the sweep lock */
static bool is_helper_denied;      /* likewise, for good */

/* ---- locks ---- */

static void take_lock(void)
{
    atomic_fetch_add(&wanted, 1);
    lock_take(&sweep_lock);
    atomic_fetch_sub(&wanted, 1);
}

static void lock_own(void)
{
    take_lock();
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
    wanted = 0;
    is_void = false;
    if (heap_collector == NULL) {
        roots_lock_reset();
        if (is_beside) /* what it tracked with is in no table of ours */
            helper_forget();
    }
    if (is_trawling)
        trawl_forget();
    if (heap_collector == NULL)
        helper_forget();
    is_trawling = false;
    is_beside = 0;
    sweeping = 0;
    waiting = 0;
}

/* ---- a sweep ---- */

static int stop_for(enum standstill work)
{
    uint64_t pause_ns = 0;
    int result = standstill_for(work, &pointed, &pause_ns);
    totals.pause_ns += pause_ns;
    totals.pause_ns_max = pause_ns > totals.pause_ns_max ? pause_ns : totals.pause_ns_max;
    return result;
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
                      : findings_note,
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
    atomic_store_explicit(&retry_bytes, held_bytes + allowance_bytes(), memory_order_relaxed);
    if (++failures < FAILURES_MAX || held_bytes < FAILED_BUDGETS_MAX * allowance_bytes())
        return result;
    failures = 0;
    atomic_store_explicit(&retry_bytes, 0, memory_order_relaxed);
    release_by_age();
    return result;
}

/* What the helper did costs the program what it stood still. */
static void note_sweep(uint64_t cost_ns, uint64_t charged_ns)
{
    failures = 0;
    atomic_store_explicit(&retry_bytes, 0, memory_order_relaxed);
    totals.sweeps++;
    totals.sweep_ns += cost_ns;
    totals.scanned_bytes += pointed.scanned_bytes;
    allowance_adapt(pointed.scanned_bytes - pointed.reread_bytes, charged_ns);
}

/* ---- piece by piece, see gc/trawl.h ---- */

static size_t trawl_rate;      /* bytes to read for each byte that is freed meanwhile */
static uint64_t trawl_cost_ns; /* so far */
static uint64_t trawl_pause_ns; /* pauses before it */

static int sweep_stopped(void)
{
    uint64_t start_ns = os_thread_work_ns();
    int result = stop_for(STANDSTILL_SEARCH);
    if (result != 0)
        return fail(result);
    release();
    uint64_t cost_ns = os_thread_work_ns() - start_ns;
    note_sweep(cost_ns, cost_ns);
    return 0;
}

static int begin_trawl(void)
{
    if (!trawl_prepare())
        return sweep_stopped();
    uint64_t start_ns = os_thread_work_ns();
    size_t heap_bytes = atomic_load_explicit(&image_now->units_used, memory_order_relaxed)
                        << UNIT_SHIFT;
    trawl_pause_ns = totals.pause_ns;
    int result = stop_for(STANDSTILL_TURN);
    if (result != 0)
        return fail(result);
    trawl_start(&pointed);
    trawl_rate = 2 * heap_bytes / allowance_bytes() + 1;
    trawl_cost_ns = os_thread_work_ns() - start_ns;
    atomic_store_explicit(&is_trawling, true, memory_order_relaxed);
    return 0;
}

static int finish_trawl(void)
{
    uint64_t start_ns = os_thread_work_ns();
    atomic_store_explicit(&is_trawling, false, memory_order_relaxed);
    int result = stop_for(STANDSTILL_FINISH);
    trawl_end();
    if (result != 0)
        return fail(result);
    release();
    uint64_t end_ns = os_thread_work_ns();
    totals.trawls++;
    uint64_t cost_ns = trawl_cost_ns + end_ns - start_ns;
    note_sweep(cost_ns, is_beside ? totals.pause_ns - trawl_pause_ns : cost_ns);
    return 0;
}

/* A program that frees faster than expected works it off, so that what is held stays bounded. */
static void trawl_on(size_t more_bytes, size_t since_turn_bytes)
{
    uint64_t start_ns = os_thread_work_ns();
    size_t owed = more_bytes * trawl_rate;
    size_t piece = owed < PIECE_BYTES_MIN   ? PIECE_BYTES_MIN
                   : owed > PIECE_BYTES_MAX ? PIECE_BYTES_MAX
                                            : owed;
    bool is_late = since_turn_bytes > LATE_FACTOR * allowance_bytes();
    bool is_done;
    do
        is_done = trawl_step(piece) != TRAWL_ON;
    while (is_late && !is_done);
    trawl_cost_ns += os_thread_work_ns() - start_ns;
    if (is_done)
        finish_trawl();
}

static void finish_trawl_now(void)
{
    while (trawl_step(PIECE_BYTES_MAX) == TRAWL_ON) {
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
    return sweep_stopped();
}

/*
 * Who keeps pace may wait until another one can sweep, so the count falls when the lock is free, not before: whoever is woken gets the
 * processor of who wakes, and frees without bound while the lock is not to be had and nobody seems to sweep.
 *
 * Whatever was found is reported without the lock, since the program's handler of SIGABRT may allocate, and by a thread of the program's: the
 * helper's standard error is not the program's.
 */
static void unlock(void)
{
    struct findings found = findings_take();
    lock_release(&sweep_lock);
    atomic_fetch_sub(&sweeping, 1);
    if (waiting != 0)
        os_futex_wake((const uint32_t *)&sweeping, INT32_MAX);
    findings_report(&found);
    misuse_report_noted();
}

/* ---- by the helper, beside the program ---- */

static void drop_trawl(void)
{
    is_trawling = false;
    trawl_end();
    totals.abandoned++;
}

/* Not only who waits for this lock: large blocks can't be freed while a piece is read. */
static void give_way(void)
{
    lock_release(&sweep_lock);
    while (wanted != 0 || large_lock_is_wanted())
        os_helper_yield();
    lock_take(&sweep_lock);
}

/*
 * A program that writes as fast as it is read after would leave all of that to the last stop. So it is stopped for short whiles, over and
 * over, and has a moment after each in which it can write less than was read.
 */
static enum trawl_progress clean_in_stop(void)
{
    static const uint64_t moment_ns = 50000;
    int progress = stop_for(STANDSTILL_CLEAN);
    uint64_t end_ns = os_clock_ns() + moment_ns;
    while (os_clock_ns() < end_ns) /* who sleeps is woken much later */
        lock_pause();
    return progress < 0 ? TRAWL_DONE : (enum trawl_progress)progress;
}

/* Passes in stops go on while each leaves much less than the one before. */
static void trawl_to_the_end(void)
{
    bool is_behind = false;
    while (is_trawling) {
        uint64_t start_ns = os_thread_work_ns();
        give_way();
        if (is_void) {
            drop_trawl();
            return;
        }
        enum trawl_progress progress = is_behind ? clean_in_stop() : trawl_step(PIECE_BYTES_MAX);
        trawl_cost_ns += os_thread_work_ns() - start_ns;
        if (progress == TRAWL_DONE || (progress == TRAWL_BEHIND && is_behind))
            finish_trawl();
        is_behind = is_behind || progress == TRAWL_BEHIND;
    }
}

static void sweep_beside(void)
{
    lock_take(&sweep_lock);
    if (helper_shares_files())
        is_helper_denied = true;
    else if (!is_void && begin_trawl() == 0)
        trawl_to_the_end();
    is_beside = 0;
    lock_release(&sweep_lock);
    os_futex_wake((const uint32_t *)&is_beside, INT32_MAX);
}

/* Returns false where there can be no helper. */
static bool start_beside(void)
{
    if (is_helper_denied || options_now()->concurrent == CONCURRENT_NEVER)
        return false;
    is_beside = 1;
    is_helper_denied = helper_give(sweep_beside) != 0;
    is_beside = !is_helper_denied;
    return is_beside;
}

static void wait_for_helper(void)
{
    const uint64_t wait_ns = 20000000;
    while (is_beside)
        os_futex_wait_for((const uint32_t *)&is_beside, 1, wait_ns);
}

/* Takes the sweep lock when the helper is idle. */
static void take_lock_alone(void)
{
    for (take_lock(); is_beside; take_lock()) {
        lock_release(&sweep_lock);
        wait_for_helper();
    }
}

/* Takes the sweep lock, and ends the helper if there is one. */
static void take_lock_without_helper(void)
{
    for (take_lock(); is_beside; take_lock()) {
        is_void = true;
        lock_release(&sweep_lock);
        wait_for_helper();
    }
    is_void = false;
    if (heap_collector == NULL)
        helper_quit();
}

void quarantine_end_helper(void)
{
    if (!quarantine_active())
        return;
    take_lock_without_helper();
    lock_release(&sweep_lock);
}

/* The sweep lock is held: one begins. */
static void sweep_or_begin(void)
{
    if (is_given_up || !must_trawl())
        sweep_once();
    else if (!start_beside())
        begin_trawl();
}

int quarantine_sweep(void)
{
    struct thread_heap *heap = thread_heap_get();
    if (heap == NULL)
        return -ENOMEM;
    thread_heap_done(heap);
    take_lock_alone();
    atomic_fetch_add(&sweeping, 1);
    int result = sweep_once();
    unlock();
    return result;
}

/* ---- what makes one begin ---- */

/*
 * A program that frees faster than the helper reads, or than another thread releases, is slowed down by moments that nobody notices, and when that is not enough, waits:
 * what is held must stay bounded. But never for ever.
 */
static void keep_pace(const _Atomic uint32_t *while_set, size_t since_turn_bytes)
{
    const uint64_t moment_ns = 300000, long_ns = 1000000000;
    size_t allowance = allowance_bytes();
    if (since_turn_bytes <= allowance || os_process_id() != image_now->process_id)
        return;
    bool is_late = since_turn_bytes > LATE_FACTOR * allowance;
    atomic_fetch_add(&waiting, 1);
    uint32_t count = *while_set;
    if (count != 0)
        os_futex_wait_for((const uint32_t *)while_set, count, is_late ? long_ns : moment_ns);
    atomic_fetch_sub(&waiting, 1);
}

static void on_held(size_t more_bytes, size_t since_turn_bytes)
{
    if (is_beside) {
        keep_pace(&is_beside, since_turn_bytes);
        return;
    }
    bool is_due = since_turn_bytes >= allowance_bytes() &&
                  since_turn_bytes >= atomic_load_explicit(&retry_bytes, memory_order_relaxed);
    bool is_busy = atomic_load_explicit(&is_trawling, memory_order_relaxed) || findings_are_there();
    if (!is_due && !is_busy)
        return;
    if (!lock_try(&sweep_lock)) {
        keep_pace(&sweeping, since_turn_bytes);
        return;
    }
    atomic_fetch_add(&sweeping, 1);
    if (os_process_id() != image_now->process_id || is_beside)
        ; /* the child of a vfork, or somebody was quicker */
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
    take_lock_alone();
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
    int result = stop_start();
    /* Where the slots start is where the first block starts: not for ever. */
    if (result == 0)
        result = roots_hide(&heap_layout, sizeof heap_layout);
    if (result == 0)
        result = roots_hide(&pointed, sizeof pointed);
    allowance_start();
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
    take_lock_without_helper();
    is_helper_denied = true;
    if (is_trawling)
        drop_trawl();
    lock_release(&sweep_lock);
}

void quarantine_note_protection(void)
{
    if (quarantine_active())
        trawl_forbid();
}

void quarantine_get_totals(struct quarantine_totals *totals_out)
{
    take_lock();
    *totals_out = totals;
    lock_release(&sweep_lock);
}
