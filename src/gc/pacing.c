/*
 * gc/pacing: when the next cycle is due.
 *
 * The heap may grow by somewhat more than what lived, at least by GROWTH_BYTES_MIN. Growth is counted in units: what fills
 * the holes that a cycle left costs no memory and brings no cycle nearer. After a cycle that found little the next one
 * comes later, but not so late that the heap is more than two and a half times what lives. A program that frees what it
 * allocates has a cycle only whenever its heap is larger than it ever was.
 *
 * Locks: none; written by the collecting thread alone, read by all.
 */
#include "gc/pacing.h"

#include "base/image.h"
#include "heap/sizes.h"

#include <stdatomic.h>

enum {
    GROWTH_BYTES_MIN = 16 * 1024 * 1024,
    SHARE_RICH = 130, /* percent of what lived */
    SHARE_POOR = 150,
    POOR = 16, /* a cycle that frees less than this part of the heap was in vain */
    RICH = 4,
};

static _Atomic size_t limit_units; /* a cycle is due when the heap would get larger; 0 at first */
static size_t share = SHARE_RICH;

static size_t units_now(void)
{
    return atomic_load_explicit(&image_now->units_taken, memory_order_relaxed);
}

static void set_limit(size_t growth_bytes)
{
    size_t least = GROWTH_BYTES_MIN;
    size_t growth = (growth_bytes < least ? least : growth_bytes) >> UNIT_SHIFT;
    atomic_store_explicit(&limit_units, units_now() + growth, memory_order_relaxed);
}

bool pacing_is_due(size_t unit_count)
{
    size_t limit = atomic_load_explicit(&limit_units, memory_order_relaxed);
    if (limit == 0)
        limit = GROWTH_BYTES_MIN >> UNIT_SHIFT;
    return unit_count < image_now->unit_limit && units_now() + unit_count > limit;
}

void pacing_note_cycle(uint64_t live_bytes, uint64_t freed_bytes)
{
    uint64_t heap_bytes = live_bytes + freed_bytes;
    if (freed_bytes < heap_bytes / POOR)
        share = SHARE_POOR;
    else if (freed_bytes >= heap_bytes / RICH)
        share = SHARE_RICH;
    set_limit(live_bytes / 100 * share);
}

void pacing_note_failure(void)
{
    set_limit(units_now() << (UNIT_SHIFT - 1));
}
