/*
 * gc/concurrent: marking while the program runs.
 *
 * The order of things is what makes it right:
 *
 *   1. Writes to the heap are tracked. What is written from here on is seen.
 *   2. Blocks that are being moved by realloc arrive; from here on none grows in place, which would move its end.
 *   3. Blocks are born with another number. Those are no candidates: all that is in them was written after 1.
 *   4. White bytes are made, for all other blocks; who is freed and allocated again meanwhile is born anew.
 *   5. The first stop: the roots are marked from. Then, while threads run, what they lead to.
 *   6. Pages written since are protected again and then read, over and over until few remain.
 *   7. The last stop: what is still dirty, and all roots once more. If that would take long: back to 6.
 *
 * A young cycle differs in 4, where older blocks are no candidates either, and in 5, where they are read if they were written
 * since the last cycle's 3: so what 1 and 6 find written is noted until the next cycle.
 *
 * A block that can be reached at 7 is marked: from a root, or from a block whose last write was before it was looked at,
 * or from one that was looked at again.
 *
 * Uses os, heap. Locks: those of the roots and the heap.
 */
#include "gc/concurrent.h"

#include "base/compiler.h"
#include "base/image.h"
#include "base/options.h"
#include "gc/crew.h"
#include "gc/dirty.h"
#include "gc/ledger.h"
#include "gc/pause.h"
#include "gc/roots.h"
#include "gc/stop.h"
#include "gc/white.h"
#include "heap/birth.h"
#include "heap/fork.h"
#include "heap/large.h"
#include "heap/runs.h"
#include "os/memory.h"
#include "os/thread.h"
#include "os/tracking.h"

#include <errno.h>
#include <string.h>

enum {
    BUILD_UNITS = 64,   /* white bytes are made for so many units at a time */
    DRAIN_ITEMS = 1024,
    ROUNDS_MAX = 12,
    FEW_PAGES = 128,  /* are left for the last stop */
    PAGES_MAX = 1024, /* more than this, and it is put off */
    LAST_STOPS_MAX = 8,
    RANGES_MAX = 512,
};

static const uint64_t STOP_AGAIN_NS = 5000000;

/* What the last stop finds dirty, before it decides. */
static struct {
    size_t count;
    uint64_t pages;
    struct roots_part list[RANGES_MAX];
} ranges;

static uintptr_t heap_start(void)
{
    return heap_layout.slots_start;
}

static uintptr_t heap_end(void)
{
    return heap_layout.slots_start +
           (atomic_load_explicit(&image_now->units_used, memory_order_acquire) << UNIT_SHIFT);
}

/* ---- before marking ---- */

static void note_written(uintptr_t start, uintptr_t end, void *context)
{
    (void)context;
    dirty_note(start, end);
}

/*
 * Mappings that the heap makes anew at this moment end it: then what has not been protected counts as written, and is visited,
 * which is only slow.
 */
static int track(os_tracking_visit *visit, void *context)
{
    os_tracking_epoch(heap_start(), heap_end(), visit, context);
    return os_tracking_is_on() ? 0 : -ENOTSUP;
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

static int begin(struct concurrent *cycle)
{
    int result = os_tracking_start() == 0 ? track(note_written, NULL) : -ENOTSUP;
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

static void mark_root_and_drain(const void *start, const void *end, unsigned step_bytes,
                                void *context)
{
    struct marker *marker = context;
    mark_range(marker, start, end, step_bytes);
    if (marker->list.count > DRAIN_ITEMS)
        crew_drain(marker, crew_size_stopped(), NULL);
}

/*
 * A program that guards parts of its blocks may guard more at any time, and the marker would run into it; distances take more than
 * the table of units to resolve; and where pointers are hidden nothing is freed.
 */
static int check_roots(void)
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
            result = check_roots();
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

static int drain(struct concurrent *cycle)
{
    while (!crew_drain(cycle->marker, cycle->threads, cycle->is_wanted))
        if (!goes_on(cycle))
            return -ECANCELED;
    return 0;
}

/*
 * Young blocks may be held by old ones, which are not looked at but where they were written since the last cycle gave blocks
 * another birth: no block could lead to one that did not exist.
 */
static int mark_from_old(struct concurrent *cycle)
{
    int result = 0;
    for (size_t page = 0; page != SIZE_MAX && result == 0;) {
        page = dirty_mark_before(cycle->marker, page);
        if (cycle->marker->list.count > DRAIN_ITEMS)
            result = drain(cycle);
    }
    return result;
}

/* ---- what is written meanwhile ---- */

struct round {
    struct concurrent *cycle;
    uint64_t bytes;
    bool is_given_up;
};

static void clean(uintptr_t start, uintptr_t end, void *context)
{
    struct round *round = context;
    round->bytes += end - start;
    dirty_note(start, end);
    if (round->is_given_up)
        return;
    dirty_mark(round->cycle->marker, start, end);
    if (round->cycle->marker->list.count > DRAIN_ITEMS)
        round->is_given_up = drain(round->cycle) != 0;
}

/* Until few pages are left, or as many as the round before left: the program writes as fast as we read. */
static int clean_until_few(struct concurrent *cycle)
{
    uint64_t before = UINT64_MAX;
    for (uint32_t i = 0; i < ROUNDS_MAX; i++) {
        struct round round = {.cycle = cycle};
        int result = track(clean, &round);
        if (result == 0)
            result = round.is_given_up ? -ECANCELED : drain(cycle);
        if (result != 0)
            return result;
        cycle->rounds++;
        uint64_t pages = round.bytes / os_page_bytes();
        if (pages <= FEW_PAGES || (i > 1 && pages > before / 4 * 3))
            return 0;
        before = pages;
    }
    return 0;
}

/* ---- the last stop ---- */

static void note_range(uintptr_t start, uintptr_t end, void *context)
{
    (void)context;
    if (ranges.count < RANGES_MAX)
        ranges.list[ranges.count] = (struct roots_part){start, end};
    ranges.count++;
    ranges.pages += (end - start) / os_page_bytes();
}

static void mark_written(uintptr_t start, uintptr_t end, void *context)
{
    struct marker *marker = context;
    dirty_note(start, end);
    dirty_mark_stopped(marker, start, end);
    if (marker->list.count > DRAIN_ITEMS)
        crew_drain(marker, crew_size_stopped(), NULL);
}

static int mark_rest(struct concurrent *cycle)
{
    int result = 0;
    if (ranges.count > RANGES_MAX)
        result = os_tracking_dirty_quick(heap_start(), heap_end(), mark_written, cycle->marker);
    else
        for (size_t i = 0; i < ranges.count; i++)
            mark_written(ranges.list[i].start, ranges.list[i].end, cycle->marker);
    memset(ranges.list, 0, sizeof ranges.list); /* or it is taken for pointers */
    if (result == 0)
        result = roots_scan(mark_root_and_drain, cycle->marker);
    if (result == 0)
        result = check_roots();
    if (result == 0)
        crew_drain(cycle->marker, crew_size_stopped(), NULL);
    return result;
}

/* Everybody is stopped. -EBUSY: too much is dirty. */
static int finish_stopped(struct concurrent *cycle, bool may_wait)
{
    ranges.count = 0;
    ranges.pages = 0;
    if (os_tracking_dirty_quick(heap_start(), heap_end(), note_range, NULL) != 0)
        return -ENOTSUP;
    if (may_wait && ranges.pages > PAGES_MAX)
        return -EBUSY;
    cycle->last_pages = ranges.pages;
    int result = mark_rest(cycle);
    if (result == 0)
        cycle->marked();
    return result;
}

static int finish(struct concurrent *cycle, bool may_wait)
{
    roots_lock();
    ledger_lock();
    heap_lock_all();
    uint64_t start_ns = os_clock_ns();
    int result = stop_begin();
    bool is_stopped = result == 0;
    if (is_stopped)
        result = finish_stopped(cycle, may_wait);
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
    int result = drain(cycle);
    for (int attempt = 1; result == 0; attempt++) {
        result = clean_until_few(cycle);
        if (result != 0)
            break;
        result = finish(cycle, attempt < LAST_STOPS_MAX);
        if ((result != -EAGAIN && result != -EBUSY) || attempt == LAST_STOPS_MAX)
            break;
        if (result == -EAGAIN)
            wait_a_moment();
        result = goes_on(cycle) ? 0 : -ECANCELED;
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
        result = look_at_roots(cycle);
    if (result == 0 && cycle->is_young)
        result = mark_from_old(cycle);
    if (result == 0)
        result = mark_until_finished(cycle);
    large_fix(false);
    return result;
}
