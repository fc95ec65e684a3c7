/*
 * gc/concurrent: marking while the program runs.
 *
 * The order of things is what makes it right:
 *
 *   1. Writes to the heap are tracked (gc/written). What is written from here on is seen.
 *   2. Blocks that are being moved by realloc arrive; from here on none grows in place, which would move its end.
 *   3. Blocks are born with another number. Those are no candidates: all that is in them was written after 1.
 *   4. White bytes are made, for all other blocks; who is freed and allocated again meanwhile is born anew.
 *   5. The first stop: the roots are marked from. Then, while threads run, what they lead to.
 *   6. Pages written since are protected again and then read, over and over until few remain (gc/preclean).
 *   7. The last stop: what is still dirty, and all roots once more. If that takes long, threads go on in between, so that there are many
 *      short ones.
 *
 * A young cycle differs in 4, where older blocks are no candidates either, and in 5: instead of the roots, old blocks are marked from
 * that were written since the last cycle's 3. So what 1 and 6 find written is noted until the next cycle. What lives of the young is
 * mostly little, and 7 finds it in time.
 *
 * A block that can be reached at 7 is marked: from a root, or from a block whose last write was before it was looked at,
 * or from one that was looked at again.
 *
 * Uses os, heap. Locks: those of the roots and the heap.
 */
#include "gc/concurrent.h"

#include "base/image.h"
#include "base/options.h"
#include "gc/crew.h"
#include "gc/dirty.h"
#include "gc/ledger.h"
#include "gc/pass.h"
#include "gc/pause.h"
#include "gc/preclean.h"
#include "gc/roots.h"
#include "gc/stop.h"
#include "gc/white.h"
#include "gc/written.h"
#include "heap/birth.h"
#include "heap/fork.h"
#include "heap/large.h"
#include "heap/runs.h"
#include "os/thread.h"

#include <errno.h>

enum {
    BUILD_UNITS = 64,   /* white bytes are made for so many units at a time */
    DRAIN_ITEMS = 1024,
    UNANSWERED_MAX = 4, /* stops */
};

static const uint64_t STOP_AGAIN_NS = 5000000;

static void note_written(uintptr_t start, uintptr_t end, void *context)
{
    (void)context;
    dirty_note(start, end);
}

/* There is no way out of this half way: the next birth's blocks of long ago must all be given another. */
static int make_white(const struct concurrent *cycle, uint32_t young)
{
    struct white_rule rule;
    if (cycle->is_young)
        white_rule_young(&rule, young, cycle->birth);
    else
        white_rule_running(&rule, cycle->birth);
    int result = white_prepare();
    for (size_t unit = 0; unit != SIZE_MAX && result == 0;) {
        run_lock();
        unit = white_build(&rule, unit, BUILD_UNITS);
        run_unlock();
    }
    return result;
}

static void ignore_written(uintptr_t start, uintptr_t end, void *context)
{
    (void)start, (void)end, (void)context;
}

void concurrent_renew(void)
{
    pass_forget();
    if (written_start() == 0 && written_renew_all(ignore_written, NULL) == 0)
        dirty_turn();
}

static int begin(struct concurrent *cycle)
{
    pass_forget();
    int result = written_start();
    if (result == 0)
        result = written_renew_all(note_written, NULL);
    if (result != 0)
        return result;
    large_lock();
    large_unlock();
    uint32_t young = image_now->birth;
    heap_lock_all();
    heap_birth_set(cycle->birth);
    heap_unlock_all();
    cycle->is_young &= dirty_is_known() && young != BIRTH_OLD;
    dirty_turn();
    return make_white(cycle, young);
}

/* ---- marking ---- */

static void mark_root(const void *start, const void *end, unsigned step_bytes, void *context)
{
    mark_range(context, start, end, step_bytes);
}

/*
 * A program that guards parts of its blocks may guard more at any time, and the marker would run into it; distances take more than
 * the table of units to resolve; and where pointers are hidden nothing is freed.
 */
int concurrent_check_roots(void)
{
    size_t unreadable_count;
    roots_unreadable(&unreadable_count);
    bool has_guards = options_now()->guard_sample != 0; /* between pages that are read */
    return unreadable_count != 0 || has_guards || roots_hold_distances() || roots_are_hidden() ? -ENOTSUP : 0;
}

static int look_at_roots(struct concurrent *cycle)
{
    roots_lock();
    ledger_lock();
    uint64_t start_ns = os_clock_ns();
    int result = stop_begin();
    if (result == 0) {
        mark_start(cycle->marker, cycle->items, cycle->item_count);
        result = roots_scan(mark_root, cycle->marker);
        if (result == 0)
            result = concurrent_check_roots();
        stop_end();
        pause_note(start_ns, os_clock_ns());
    }
    ledger_unlock();
    roots_unlock();
    return result;
}

/* Whoever had the cycle's lock meanwhile may have made white bytes of his own. */
static bool goes_on(struct concurrent *cycle)
{
    return cycle->yield() && white_serial == cycle->white_serial;
}

int concurrent_give_way(struct concurrent *cycle)
{
    return goes_on(cycle) ? 0 : -ECANCELED;
}

int concurrent_drain(struct concurrent *cycle)
{
    int result = 0;
    while (result == 0 && !crew_drain(cycle->marker, cycle->threads, cycle->is_wanted))
        result = concurrent_give_way(cycle);
    return result;
}

/*
 * Young blocks may be held by old ones, which are not looked at but where they were written since the last cycle gave blocks
 * another birth: no block could lead to one that did not exist.
 */
static int mark_from_old(struct concurrent *cycle)
{
    int result = concurrent_check_roots(); /* as they were last */
    mark_start(cycle->marker, cycle->items, cycle->item_count);
    for (size_t page = 0; page != SIZE_MAX && result == 0;) {
        page = dirty_mark_before(cycle->marker, page);
        if (cycle->marker->list.count > DRAIN_ITEMS)
            result = concurrent_drain(cycle);
    }
    return result;
}

/* ---- the last stop ---- */

/* -EBUSY: threads are to run a while, and then stop again. */
static int finish(struct concurrent *cycle)
{
    roots_lock();
    ledger_lock();
    heap_lock_all();
    uint64_t start_ns = os_clock_ns();
    int result = stop_begin();
    bool is_stopped = result == 0;
    if (is_stopped)
        result = preclean_stopped(cycle, start_ns);
    if (result == 0)
        cycle->marked();
    heap_unlock_all();
    if (is_stopped)
        stop_end();
    if (is_stopped)
        pause_note(start_ns, os_clock_ns());
    ledger_unlock();
    roots_unlock();
    return result;
}

static void wait_a_moment(void)
{
    static const uint32_t nobody_wakes_this;
    os_futex_wait_for(&nobody_wakes_this, 0, STOP_AGAIN_NS);
}

/* A thread in the child of a vfork, or a debugger's, does not answer now, perhaps a little later. */
static int mark_until_finished(struct concurrent *cycle)
{
    int unanswered = 0;
    int result = concurrent_drain(cycle);
    if (result == 0)
        result = preclean_until_few(cycle);
    while (result == 0) {
        result = finish(cycle);
        if (result == -EAGAIN && ++unanswered < UNANSWERED_MAX)
            wait_a_moment();
        else if (result != -EBUSY)
            break;
        result = concurrent_give_way(cycle);
        if (result == 0)
            result = preclean_between(cycle);
    }
    return result;
}

int concurrent_mark(struct concurrent *cycle)
{
    large_fix(true);
    int result = begin(cycle);
    cycle->white_serial = white_serial;
    if (result == 0 && !goes_on(cycle))
        result = -ECANCELED;
    if (result == 0)
        result = cycle->is_young ? mark_from_old(cycle) : look_at_roots(cycle);
    if (result == 0)
        result = mark_until_finished(cycle);
    large_fix(false);
    return result;
}
