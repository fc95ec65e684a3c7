/*
 * heap/purge: how much free memory is kept, and giving the rest back.
 *
 * The budget is the larger of dirty_min and live/dirty_share, so that an idle program does not keep its peak. A program
 * that takes again soon what was just returned pays for the page faults; each such unit raises the budget by four, up to
 * a share of the live heap. Only for a program that did so more than once in quick succession the raise may be as large
 * as what it had at its peak: its memory comes and goes, and would be faulted in again each time. A second without such
 * a return ends the raise. What a quarantine releases comes in large pieces that are all needed again before the next one, so it is
 * kept besides.
 *
 * Uses os, base. Locks: none of its own, see purge.h.
 */
#include "heap/purge.h"

#include "base/image.h"
#include "heap/limbo.h"
#include "heap/unit.h"
#include "os/memory.h"
#include "os/thread.h"

enum { CALM_NS = 1000000000, RAISE_SHARE = 2, RAISE_FACTOR = 4, CYCLES_MIN = 2 };

static size_t raised;           /* units by which the budget has grown */
static size_t returned_lately;  /* purged units that have not been taken again */
static size_t purged_in_cycle;  /* a cycle ends when half of what was purged in it has been taken again */
static size_t retaken_in_cycle;
static uint32_t cycles;
static size_t taken_peak;
static uint64_t last_return_ns; /* when a purged unit was last taken again */
static uint64_t last_purge_ns;
static size_t expected;         /* units that a collector frees, and the program will take again */
static uint64_t expected_ns;    /* since then */
static uint64_t refused_ns; /* when the kernel last refused: the program may have locked its memory */

static size_t taken_now(void)
{
    return atomic_load_explicit(&image_now->units_taken, memory_order_relaxed);
}

static void count_cycle(size_t again)
{
    retaken_in_cycle += again;
    if (purged_in_cycle == 0 || retaken_in_cycle < purged_in_cycle / 2)
        return;
    cycles++;
    retaken_in_cycle = 0;
    purged_in_cycle = 0;
}

void purge_note_taken(size_t clean_count)
{
    size_t taken = taken_now();
    if (taken > taken_peak)
        taken_peak = taken;
    size_t again = clean_count < returned_lately ? clean_count : returned_lately;
    if (again == 0)
        return;
    uint64_t now_ns = os_clock_ns();
    if (now_ns - last_purge_ns > CALM_NS) {
        returned_lately = 0;
        return;
    }
    returned_lately -= again;
    raised += again * RAISE_FACTOR;
    count_cycle(again);
    last_return_ns = now_ns;
}

void purge_note_purged(size_t count)
{
    returned_lately += count;
    purged_in_cycle += count;
    last_purge_ns = os_clock_ns();
}

static void end_raise(void)
{
    raised = 0;
    cycles = 0;
    returned_lately = 0;
    purged_in_cycle = 0;
    retaken_in_cycle = 0;
}

static size_t base_budget(void)
{
    const struct options *options = options_now();
    size_t least = options->dirty_min >> UNIT_SHIFT;
    size_t share = taken_now() / options->dirty_share;
    return (least > share ? least : share) + (limbo_allowed() >> UNIT_SHIFT);
}

static size_t budget(void)
{
    size_t taken = taken_now();
    size_t room = taken / RAISE_SHARE + (cycles >= CYCLES_MIN ? taken_peak - taken : 0);
    return base_budget() + expected + (raised < room ? raised : room);
}

void purge_expect(size_t count)
{
    expected = count;
    expected_ns = count == 0 ? 0 : os_clock_ns();
}

/* The clock is read only by a program that keeps more than the plain budget. */
bool purge_is_due(void)
{
    size_t dirty = atomic_load_explicit(&image_now->units_dirty, memory_order_relaxed);
    if (dirty <= base_budget())
        return false;
    if (refused_ns != 0 && os_clock_ns() - refused_ns < CALM_NS)
        return false;
    if (raised != 0 && os_clock_ns() - last_return_ns > CALM_NS)
        end_raise();
    if (expected != 0 && os_clock_ns() - expected_ns > CALM_NS)
        expected = 0;
    return dirty > budget();
}

void purge_note_refused(void)
{
    refused_ns = os_clock_ns();
}

size_t purge_page_units(void)
{
    return os_page_bytes() > UNIT_BYTES ? os_page_bytes() / UNIT_BYTES : 1;
}

/* A quarter below the budget, so that the next free does not purge again. */
size_t purge_target(void)
{
    return budget() / 4 * 3;
}

bool purge_units(size_t first, size_t count, bool renew)
{
    void *start = (void *)unit_start(first);
    size_t size_bytes = count << UNIT_SHIFT;
    int result = renew ? os_renew(start, size_bytes, options_now()->huge_pages == HUGE_PAGES_ALWAYS)
                       : os_purge(start, size_bytes);
    if (result != 0)
        return false;
    atomic_fetch_add_explicit(&image_now->purged_bytes, (uint64_t)count << UNIT_SHIFT, memory_order_relaxed);
    atomic_fetch_add_explicit(&image_now->purge_calls, 1, memory_order_relaxed);
    return true;
}
