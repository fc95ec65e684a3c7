/*
 * preload/quarantine: gcalloc/quarantine.h, on top of the core.
 */
#include "gcalloc/quarantine.h"

#include "gc/quarantine.h"
#include "heap/limbo.h"
#include "heap/lookup.h"
#include "preload/export.h"

#include <errno.h>

EXPORT int gca_quarantine_sweep(void)
{
    return quarantine_active() ? quarantine_sweep() : -EOPNOTSUPP;
}

EXPORT bool gca_is_held(const void *address)
{
    struct block block;
    return lookup_block(address, &block) && slot_is_held(block.state);
}

EXPORT int gca_quarantine_get_stats(gca_quarantine_stats *stats_out)
{
    if (stats_out == NULL)
        return -EINVAL;
    struct quarantine_totals totals;
    quarantine_get_totals(&totals);
    *stats_out = (gca_quarantine_stats){
        .sweeps = totals.sweeps,
        .abandoned = totals.abandoned,
        .released_blocks = totals.released_blocks,
        .released_bytes = totals.released_bytes,
        .changed_blocks = totals.changed_blocks,
        .held_blocks = totals.held_blocks,
        .held_bytes = totals.held_bytes,
        .scanned_bytes = totals.scanned_bytes,
        .pause_ns_total = totals.pause_ns,
        .pause_ns_max = totals.pause_ns_max,
        .sweep_ns_total = totals.sweep_ns,
    };
    return 0;
}
