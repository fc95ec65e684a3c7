/*
 * heap/purge: how much free memory is kept, and giving the rest back.
 *
 * The budget is the larger of dirty_min and live/dirty_share, so that an idle program does not keep its peak. A program
 * that takes again soon what was just returned pays for the page faults; each such unit raises the budget by one, as
 * long as live plus dirty stays below the highest live heap so far: peak memory is no larger for it. A second without
 * such a return halves what was raised.
 *
 * Uses os, base. Locks: none of its own, see purge.h.
 */
#include "heap/purge.h"

#include "base/image.h"
#include "heap/unit.h"
#include "os/memory.h"
#include "os/thread.h"

enum { CALM_NS = 1000000000 };

static size_t raised;           /* units by which the budget has grown */
static size_t returned_lately;  /* purged units that have not been taken again */
static size_t taken_peak;
static uint64_t last_return_ns; /* when a purged unit was last taken again */

static size_t taken_now(void)
{
    return atomic_load_explicit(&gca_image->units_taken, memory_order_relaxed);
}

void purge_note_taken(size_t count, size_t clean_count)
{
    (void)count;
    size_t taken = taken_now();
    if (taken > taken_peak)
        taken_peak = taken;
    size_t again = clean_count < returned_lately ? clean_count : returned_lately;
    if (again == 0)
        return;
    returned_lately -= again;
    raised += again;
    last_return_ns = os_clock_ns();
}

void purge_note_purged(size_t count)
{
    uint64_t now_ns = os_clock_ns();
    if (now_ns - last_return_ns > CALM_NS) {
        raised /= 2;
        returned_lately = 0;
        last_return_ns = now_ns;
    }
    returned_lately += count;
}

static size_t base_budget(void)
{
    const struct options *options = options_now();
    size_t least = options->dirty_min >> UNIT_SHIFT;
    size_t share = taken_now() / options->dirty_share;
    return least > share ? least : share;
}

static size_t budget(void)
{
    size_t base = base_budget();
    size_t below_peak = taken_peak - taken_now();
    size_t room = below_peak > base ? below_peak - base : 0;
    return base + (raised < room ? raised : room);
}

bool purge_is_due(void)
{
    return atomic_load_explicit(&gca_image->units_dirty, memory_order_relaxed) > budget();
}

/* A quarter below the budget, so that the next free does not purge again. */
size_t purge_target(void)
{
    return budget() / 4 * 3;
}

void purge_units(size_t first, size_t count)
{
    os_purge((void *)unit_start(first), count << UNIT_SHIFT);
    atomic_fetch_add_explicit(&gca_image->purged_bytes, (uint64_t)count << UNIT_SHIFT, memory_order_relaxed);
    atomic_fetch_add_explicit(&gca_image->purge_calls, 1, memory_order_relaxed);
}
