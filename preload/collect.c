/*
 * preload/collect: gcalloc/gc.h, on top of the core.
 */
#include "gcalloc/gc.h"

#include "base/lock.h"
#include "gc/background.h"
#include "gc/cycle.h"
#include "gc/finalize.h"
#include "gc/history.h"
#include "gc/pause.h"
#include "gc/pressure.h"
#include "gc/roots.h"
#include "gc/settings.h"
#include "gc/weak.h"
#include "gc/written.h"
#include "heap/thread.h"
#include "preload/export.h"
#include "preload/report.h"

#include <errno.h>
#include <string.h>

EXPORT int gca_collect(void)
{
    return gc_active() ? cycle_collect(CYCLE_ASKED) : -EOPNOTSUPP;
}

EXPORT int gca_collect_young(void)
{
    return gc_active() ? background_collect_young() : -EOPNOTSUPP;
}

EXPORT int gca_step(uint64_t budget_us)
{
    enum { NS_A_US = 1000, LEAST_US = 1, MOST_US = 1000000000 };
    uint64_t budget = budget_us < LEAST_US ? LEAST_US : budget_us > MOST_US ? MOST_US : budget_us;
    return gc_active() ? background_step(budget * NS_A_US) : -EOPNOTSUPP;
}

_Static_assert(sizeof(gca_gc_settings) == sizeof(struct gc_settings), "the same values");

EXPORT int gca_gc_configure(const gca_gc_settings *settings)
{
    static struct lock lock;
    struct gc_settings wanted;
    if (settings == NULL)
        return -EINVAL;
    memcpy(&wanted, settings, sizeof wanted);
    thread_heap_done(thread_heap_get()); /* starts gcalloc */
    lock_take(&lock);
    int result = gc_settings_set(&wanted);
    if (result == 0 && gc_active())
        result = cycle_set_tracking(gc_settings_now()->tracking == GC_TRACKING_PROGRAM);
    lock_release(&lock);
    return result;
}

EXPORT int gca_gc_get_settings(gca_gc_settings *settings_out)
{
    if (settings_out == NULL)
        return -EINVAL;
    memcpy(settings_out, gc_settings_now(), sizeof *settings_out);
    return 0;
}

EXPORT void gca_write_barrier(const void *place, const void *value)
{
    written_tell(place, sizeof value, value);
}

EXPORT void gca_write_barrier_range(const void *start, size_t size_bytes)
{
    if (size_bytes != 0)
        written_tell(start, size_bytes, start);
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

/* The two types of functions differ by an enumeration where the other has int. */
_Static_assert(sizeof(gca_pressure_level) == sizeof(int), "passed alike");

EXPORT int gca_pressure_callback_add(gca_pressure_callback *callback, void *data)
{
    return callback == NULL ? -ENOENT : pressure_add((pressure_callback *)(void *)callback, data);
}

EXPORT int gca_pressure_callback_remove(gca_pressure_callback *callback, void *data)
{
    return pressure_remove((pressure_callback *)(void *)callback, data);
}

EXPORT gca_pressure_level gca_pressure_now(void)
{
    thread_heap_done(thread_heap_get()); /* starts gcalloc, and reads the options */
    return (gca_pressure_level)pressure_look();
}

EXPORT void gca_pause_callback_set(gca_pause_callback *callback, void *data)
{
    pause_set_callback(callback, data);
}

static gca_gc_kind_stats kind_stats(const struct history *history, enum history_kind kind)
{
    const struct history_kind_totals *totals = &history->kinds[kind];
    return (gca_gc_kind_stats){
        .collections = totals->cycles,
        .candidate_bytes = totals->candidate_bytes,
        .freed_blocks = totals->freed_blocks,
        .freed_bytes = totals->freed_bytes,
        .time_ns = totals->time_ns,
        .survived_permille = history->survived_permille[kind],
    };
}

static void add_heap(gca_gc_stats *stats)
{
    gca_heap_stats heap;
    if (report_collect(&heap) != 0 || heap.span_bytes == 0)
        return;
    uint64_t used_bytes = heap.allocated_bytes + heap.chunk_bytes;
    stats->heap_bytes = heap.span_bytes;
    stats->fragmented_permille = used_bytes < heap.span_bytes ? 1000 - used_bytes * 1000 / heap.span_bytes : 0;
}

EXPORT int gca_gc_get_stats(gca_gc_stats *stats_out)
{
    if (stats_out == NULL)
        return -EINVAL;
    struct history history;
    history_get(&history);
    const gca_gc_kind_stats young = kind_stats(&history, HISTORY_YOUNG), full = kind_stats(&history, HISTORY_FULL);
    gca_gc_stats stats = {
        .collections = young.collections + full.collections,
        .abandoned = history.abandoned,
        .freed_blocks = young.freed_blocks + full.freed_blocks,
        .freed_bytes = young.freed_bytes + full.freed_bytes,
        .live_blocks = history.live_blocks,
        .live_bytes = history.live_bytes,
        .pause_ns_total = history.pause_ns,
        .pause_ns_max = history.pause_ns_max,
        .pause_ns_last = history.pause_ns_last,
        .mark_ns_total = history.mark_ns,
        .scanned_bytes = history.scanned_bytes,
        .young = young,
        .full = full,
        .pauses = history.pauses,
        .allocated_bytes = history.allocated_bytes,
        .allocation_rate = history.rate_bytes_per_s,
    };
    _Static_assert(sizeof stats.pause_buckets == sizeof history.pause_buckets, "the same buckets");
    memcpy(stats.pause_buckets, history.pause_buckets, sizeof stats.pause_buckets);
    if (gc_active())
        add_heap(&stats);
    *stats_out = stats;
    return 0;
}
