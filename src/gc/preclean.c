/*
 * gc/preclean: marks from what is written while marking goes on.
 *
 * What the last stop takes is the sum of three things: asking what was written, reading that, and the roots. The first and the
 * last are much the same each time, so what they took then tells how much may be left to be read.
 *
 * Uses os, heap. Locks: those of the caller.
 */
#include "gc/preclean.h"

#include "base/compiler.h"
#include "gc/concurrent.h"
#include "gc/crew.h"
#include "gc/dirty.h"
#include "gc/roots.h"
#include "gc/written.h"
#include "os/memory.h"
#include "os/thread.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum {
    DRAIN_ITEMS = 1024,
    ROUNDS_MAX = 12,
    FEW_PAGES = 128, /* are left for the last stop */
    RANGES_MAX = 512,
    PAGE_NS_FIRST = 2000,
    LEARNT_PART = 4, /* of what is learnt from one stop is taken over */
};

/* What the last stop finds written, before it decides. */
static struct {
    size_t count;
    uint64_t pages;
    struct roots_part list[RANGES_MAX];
} ranges;

/* What things took in the last stops. */
static struct {
    uint64_t look_ns;
    uint64_t roots_ns;
    uint64_t page_ns;
} costs = {.page_ns = PAGE_NS_FIRST};

static void learn(uint64_t *cost, uint64_t seen)
{
    *cost = *cost - *cost / LEARNT_PART + seen / LEARNT_PART;
}

/* ---- while the program runs ---- */

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
        round->is_given_up = concurrent_drain(round->cycle) != 0;
}

int preclean_until_few(struct concurrent *cycle)
{
    uint64_t before = UINT64_MAX;
    for (uint32_t i = 0; i < ROUNDS_MAX; i++) {
        struct round round = {.cycle = cycle};
        int result = written_renew(clean, &round);
        if (result == 0)
            result = round.is_given_up ? -ECANCELED : concurrent_drain(cycle);
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

/* ---- in the last stop ---- */

static uint64_t end_ns; /* when this stop should be over; UINT64_MAX: whenever */

static bool is_late(void)
{
    return os_clock_ns() > end_ns;
}

/* Returns whether that is all. */
static bool drain_in_time(struct marker *marker)
{
    return crew_drain(marker, crew_size_stopped(), is_late);
}

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
        drain_in_time(marker);
}

static int mark_ranges(struct marker *marker)
{
    int result = 0;
    uint64_t start_ns = os_clock_ns();
    if (ranges.count > RANGES_MAX)
        result = written_look(mark_written, marker);
    else
        for (size_t i = 0; i < ranges.count; i++)
            mark_written(ranges.list[i].start, ranges.list[i].end, marker);
    memset(ranges.list, 0, sizeof ranges.list); /* or it is taken for pointers */
    if (ranges.pages != 0)
        learn(&costs.page_ns, (os_clock_ns() - start_ns) / ranges.pages);
    return result;
}

static void mark_root(const void *start, const void *end, unsigned step_bytes, void *context)
{
    struct marker *marker = context;
    mark_range(marker, start, end, step_bytes);
    if (marker->list.count > DRAIN_ITEMS)
        drain_in_time(marker);
}

static int mark_roots(struct marker *marker)
{
    uint64_t start_ns = os_clock_ns();
    int result = roots_scan(mark_root, marker);
    learn(&costs.roots_ns, os_clock_ns() - start_ns);
    return result;
}

/* What can't be helped counts for little: else a program with large roots would be stopped again and again, in vain. */
static bool is_too_much(uint64_t budget_ns)
{
    uint64_t fixed_ns = costs.look_ns + costs.roots_ns;
    uint64_t left_ns = budget_ns > fixed_ns ? budget_ns - fixed_ns : 0;
    if (left_ns < budget_ns / 4)
        left_ns = budget_ns / 4;
    return ranges.pages * costs.page_ns > left_ns;
}

static int look(void)
{
    uint64_t start_ns = os_clock_ns();
    ranges.count = 0;
    ranges.pages = 0;
    int result = written_look(note_range, NULL);
    learn(&costs.look_ns, os_clock_ns() - start_ns);
    return result;
}

int preclean_rest(struct concurrent *cycle, uint64_t budget_ns)
{
    uint64_t least_ns = (costs.look_ns + costs.roots_ns) * 3 / 2;
    end_ns = budget_ns == 0 ? UINT64_MAX : os_clock_ns() + (budget_ns > least_ns ? budget_ns : least_ns);
    int result = look();
    if (result != 0)
        return result;
    if (budget_ns != 0 && is_too_much(budget_ns))
        return -EBUSY;
    cycle->last_pages = ranges.pages;
    result = mark_ranges(cycle->marker);
    if (result == 0)
        result = mark_roots(cycle->marker);
    if (result == 0)
        result = concurrent_check_roots();
    if (result == 0 && !drain_in_time(cycle->marker))
        result = -EBUSY;
    return result;
}
