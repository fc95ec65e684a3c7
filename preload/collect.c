/*
 * preload/collect: gcalloc/gc.h, on top of the core.
 */
#include "gcalloc/gc.h"

#include "gc/cycle.h"
#include "gc/roots.h"
#include "preload/export.h"

#include <errno.h>

EXPORT int gca_collect(void)
{
    return gc_active() ? cycle_collect(CYCLE_ASKED) : -EOPNOTSUPP;
}

EXPORT void gca_gc_disable(void)
{
    cycle_disable();
}

EXPORT void gca_gc_enable(void)
{
    cycle_enable();
}

EXPORT int gca_pin(const void *address)
{
    return roots_pin(address);
}

EXPORT int gca_unpin(const void *address)
{
    return roots_unpin(address);
}

EXPORT int gca_roots_add(const void *start, size_t size_bytes)
{
    return roots_add(start, size_bytes);
}

EXPORT int gca_roots_remove(const void *start)
{
    return roots_remove(start);
}

EXPORT int gca_gc_get_stats(gca_gc_stats *stats_out)
{
    if (stats_out == NULL)
        return -EINVAL;
    struct cycle_totals totals;
    cycle_get_totals(&totals);
    *stats_out = (gca_gc_stats){
        .collections = totals.cycles,
        .abandoned = totals.abandoned,
        .freed_blocks = totals.freed_blocks,
        .freed_bytes = totals.freed_bytes,
        .live_blocks = totals.live_blocks,
        .live_bytes = totals.live_bytes,
        .pause_ns_total = totals.pause_ns,
        .pause_ns_max = totals.pause_ns_max,
        .pause_ns_last = totals.pause_ns_last,
        .mark_ns_total = totals.mark_ns,
        .scanned_bytes = totals.scanned_bytes,
    };
    return 0;
}
