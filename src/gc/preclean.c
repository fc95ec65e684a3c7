/*
 * gc/preclean: marks from what is written while marking goes on.
 *
 * A page that was read is protected before, and the next write to it costs the program a fault. So one that writes everywhere as fast as it
 * can is slower than we are where we are two and it stands still, and stops that are much longer than what it runs in between leave fewer
 * pages from pass to pass, however many there were. A pass that begins and comes to its end in one and the same stop is the last: nothing
 * is left then but the roots.
 *
 * Uses os, heap. Locks: those of the caller.
 */
#include "gc/preclean.h"

#include "base/compiler.h"
#include "base/image.h"
#include "gc/concurrent.h"
#include "gc/crew.h"
#include "gc/pass.h"
#include "gc/roots.h"
#include "gc/settings.h"
#include "gc/stop.h"
#include "gc/trace.h"
#include "heap/layout.h"
#include "os/thread.h"

#include <errno.h>
#include <stddef.h>

enum {
    DRAIN_ITEMS = 1024,
    TURN_BLOCKS = 1024,
    ROUNDS_MAX = 12,
    FEW_PAGES = 128, /* are left for the stops */
    LAST_PAGES = 256, /* the pass before may have found, when the next is to be the last */
    STOP_PARTS = 10, /* of the longest pause wished for; so many are for reading, the rest for stopping and going on */
    READ_PARTS = 3,
    RUN_PART = 2,    /* of a stop's length is what threads run before the next */
    RUN_PART_MAX = 16,
    LEARNT_PART = 4, /* of what is learnt from one stop is taken over */
    UNITS_A_GIB = 1 << (30 - UNIT_SHIFT),
    SHARED_UNITS = 4096, /* a smaller heap is looked through by one thread in less time than it takes to call others */
};

static const uint64_t WORK_NS_MIN = 150000; /* in a stop: to stop takes as long */
static const uint64_t LOOK_NS = 50000;      /* between two looks whether threads run again */
static const uint64_t AWAITED_NS = 100000000; /* for so long at most */

/* What the last stops took for what there is in each: asking for what was written in so much of heap, and the roots. */
static struct {
    uint64_t look_ns_a_gib;
    uint64_t roots_ns;
} costs;

static void learn(uint64_t *cost, uint64_t seen)
{
    *cost = *cost == 0 ? seen : *cost - *cost / LEARNT_PART + seen / LEARNT_PART;
}

static uint64_t units_used(void)
{
    return atomic_load_explicit(&image_now->units_used, memory_order_relaxed) + 1;
}

static unsigned size_of_crew(unsigned most)
{
    return units_used() < SHARED_UNITS ? 1 : most;
}

/* ---- while the program runs ---- */

static struct concurrent *cycle_now;
static uint64_t end_ns; /* when this stop, or what is in between, should be over; UINT64_MAX: whenever */

static bool is_late(void)
{
    return os_clock_ns() > end_ns;
}

static bool is_interrupted(void)
{
    return cycle_now->is_wanted() || is_late();
}

/* To its end. */
static int make_round(struct concurrent *cycle)
{
    const struct pass_way beside = {.threads = size_of_crew(cycle->threads), .is_interrupted = cycle->is_wanted};
    int result = pass_begin(false);
    while (result == 0) {
        result = pass_go_on(cycle->marker, &beside);
        if (result == 0)
            result = concurrent_give_way(cycle);
        if (result == 0 && !pass_is_open())
            return concurrent_drain(cycle);
    }
    return result < 0 ? result : 0;
}

int preclean_until_few(struct concurrent *cycle)
{
    uint64_t before = UINT64_MAX;
    cycle->stops = (struct concurrent_stops){.run_part = RUN_PART};
    for (uint32_t i = 0; i < ROUNDS_MAX; i++) {
        int result = make_round(cycle);
        if (result != 0)
            return result;
        cycle->rounds++;
        cycle->stops.pages_before = pass_pages();
        if (pass_pages() <= FEW_PAGES || pass_pages() > before / 2)
            break;
        before = pass_pages();
    }
    return 0;
}

/* ---- in the stops, and in between ---- */

static uint64_t wished_ns(void)
{
    enum { NS_A_US = 1000 };
    return gc_settings_now()->pause_us * NS_A_US / STOP_PARTS * READ_PARTS;
}

/* For the last one. What can't be helped is no reason to stop the program again and again, in vain. */
static uint64_t last_ns(void)
{
    uint64_t least_ns = costs.look_ns_a_gib * units_used() / UNITS_A_GIB * 3 / 2 + costs.roots_ns;
    return wished_ns() > least_ns ? wished_ns() : least_ns;
}

/* A pass that was interrupted has come to its end: the next one should find less. Else threads are to run for less, and at last for nothing. */
static void weigh_pass(struct concurrent *cycle)
{
    struct concurrent_stops *stops = &cycle->stops;
    cycle->rounds++;
    if (pass_pages() > stops->pages_before / 4 * 3)
        stops->run_part *= 2;
    stops->pages_before = pass_pages();
}

/* Of what a program does not get, since others have the processors, it is given more. */
static void wait_until_all_run(void)
{
    static const uint32_t nobody_wakes_this;
    for (uint64_t waited_ns = 0; !stop_is_left() && !cycle_now->is_wanted() && waited_ns < AWAITED_NS; waited_ns += LOOK_NS)
        os_futex_wait_for(&nobody_wakes_this, 0, LOOK_NS);
}

static int go_on_beside(struct concurrent *cycle)
{
    const struct pass_way beside = {.threads = size_of_crew(cycle->threads), .is_interrupted = is_interrupted};
    int result = pass_go_on(cycle->marker, &beside);
    if (result < 0)
        return result;
    if (!pass_is_open())
        weigh_pass(cycle);
    return 0;
}

int preclean_between(struct concurrent *cycle)
{
    static const uint32_t nobody_wakes_this;
    uint64_t run_ns = wished_ns() / cycle->stops.run_part;
    int result = 0;
    cycle_now = cycle;
    end_ns = os_clock_ns() + run_ns;
    if (pass_is_open())
        result = go_on_beside(cycle);
    else
        os_futex_wait_for(&nobody_wakes_this, 0, run_ns);
    wait_until_all_run();
    return result == 0 && !pass_is_open() ? concurrent_drain(cycle) : result;
}

static void mark_root(const void *start, const void *end, unsigned step_bytes, void *context)
{
    struct marker *marker = context;
    mark_range(marker, start, end, step_bytes);
    if (marker->list.count > DRAIN_ITEMS)
        mark_drain_some(marker, TURN_BLOCKS);
}

static int roots_result;

static void mark_roots(struct marker *marker)
{
    uint64_t start_ns = os_clock_ns();
    roots_result = roots_scan(mark_root, marker);
    if (roots_result == 0)
        roots_result = concurrent_check_roots();
    learn(&costs.roots_ns, os_clock_ns() - start_ns);
    trace_phase("roots", start_ns, os_clock_ns());
}

/* The last one, perhaps: the roots, and all that was written. */
static int look_at_all(struct concurrent *cycle, uint64_t stopped_ns)
{
    const struct pass_way way = {
        .threads = size_of_crew(crew_size_stopped()),
        .is_stopped = true,
        .is_last = true,
        .is_interrupted = is_late,
        .meanwhile = mark_roots,
    };
    bool is_forced = cycle->stops.run_part > RUN_PART_MAX;
    uint64_t start_ns = os_clock_ns();
    end_ns = is_forced ? UINT64_MAX : stopped_ns + last_ns();
    int result = pass_begin(true);
    if (result == 0)
        result = pass_go_on(cycle->marker, &way);
    if (result < 0)
        return result;
    trace_phase("written", start_ns, os_clock_ns());
    cycle->last_pages = pass_pages();
    if (result == 1 && pass_pages() <= FEW_PAGES)
        learn(&costs.look_ns_a_gib, (os_clock_ns() - start_ns) * UNITS_A_GIB / units_used());
    if (roots_result != 0)
        return roots_result;
    if (result == 1)
        return 0;
    cycle->stops.run_part *= 2;
    if (pass_pages() > cycle->stops.pages_before)
        cycle->stops.pages_before = pass_pages();
    return -EBUSY;
}

static int go_on(struct concurrent *cycle, uint64_t stopped_ns)
{
    const struct pass_way way = {
        .threads = size_of_crew(crew_size_stopped()), .is_stopped = true, .is_interrupted = is_late};
    uint64_t least_ns = os_clock_ns() + WORK_NS_MIN;
    end_ns = stopped_ns + wished_ns() > least_ns ? stopped_ns + wished_ns() : least_ns;
    int result = pass_is_open() ? 0 : pass_begin(false);
    if (result == 0)
        result = pass_go_on(cycle->marker, &way);
    if (result < 0)
        return result;
    if (!pass_is_open())
        weigh_pass(cycle);
    return -EBUSY;
}

int preclean_stopped(struct concurrent *cycle, uint64_t stopped_ns)
{
    const struct concurrent_stops *stops = &cycle->stops;
    cycle->stops.count++;
    if (stops->run_part > RUN_PART_MAX || (!pass_is_open() && stops->pages_before <= LAST_PAGES))
        return look_at_all(cycle, stopped_ns);
    return go_on(cycle, stopped_ns);
}
