/*
 * preload/collect: gcalloc/gc.h, on top of the core.
 */
#include "gcalloc/gc.h"

#include "gc/cycle.h"
#include "gc/finalize.h"
#include "gc/roots.h"
#include "gc/weak.h"
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

EXPORT gca_weak_ref *gca_weak_ref_new(void *address)
{
    gca_weak_ref *reference = NULL;
    int result = weak_new(address, &reference);
    if (result != 0)
        errno = -result;
    return reference;
}

EXPORT void *gca_weak_ref_get(const gca_weak_ref *ref)
{
    return weak_get(ref);
}

EXPORT int gca_finalizer_set(void *block, gca_finalizer *function, void *data, gca_finalizer_order order)
{
    return finalize_set(block, function, data, order == GCA_FINALIZE_OWNERS_FIRST);
}

EXPORT size_t gca_finalizers_run(size_t count_max)
{
    return finalize_run(count_max);
}

EXPORT size_t gca_finalizers_wait(uint64_t timeout_ns)
{
    return finalize_wait(timeout_ns);
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
