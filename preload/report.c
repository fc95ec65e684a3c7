/*
 * preload/report: what the heap did.
 *
 * Locks: the run lock while counting.
 */
#include "preload/report.h"

#include "base/compiler.h"
#include "base/image.h"
#include "base/message.h"
#include "gc/cycle.h"
#include "gc/history.h"
#include "gc/quarantine.h"
#include "heap/runs.h"
#include "heap/statistics.h"
#include "heap/thread.h"
#include "heap/verify.h"
#include "os/output.h"
#include "os/thread.h"

#include <errno.h>
#include <string.h>

enum { REPORT_BYTES = 4096, NAME_BYTES = 64 };

int report_collect(gca_heap_stats *stats_out)
{
    struct thread_heap *heap = thread_heap_get();
    if (heap == NULL)
        return -ENOMEM;
    thread_heap_done(heap);
    run_lock();
    int result = statistics_collect(image_now, stats_out);
    run_unlock();
    return result;
}

/* The program's name as the kernel knows it, or "?". */
static void program_name(char *name, size_t size_bytes)
{
    int descriptor = os_open_read("/proc/self/comm");
    long length = descriptor < 0 ? 0 : os_read(descriptor, name, size_bytes - 1);
    if (descriptor >= 0)
        os_close(descriptor);
    if (length <= 1) {
        memcpy(name, "?", 2);
        return;
    }
    name[length - 1] = '\0';
}

static void add_row(struct text *text, const char *label, uint64_t size_bytes)
{
    text_add(text, "  %-28s", label);
    text_add_size(text, size_bytes);
    text_add(text, "\n");
}

static void add_kind(struct text *text, const char *label, const struct history *history, enum history_kind kind)
{
    const struct history_kind_totals *totals = &history->kinds[kind];
    uint64_t survived_percent = totals->candidate_bytes == 0
                                    ? 0
                                    : 100 - totals->freed_bytes * 100 / totals->candidate_bytes;
    if (totals->cycles == 0)
        return;
    text_add(text, "  %-28s%lu, %lu ms, %lu blocks freed, ", label, totals->cycles, totals->time_ns / 1000000,
             totals->freed_blocks);
    text_add_size(text, totals->freed_bytes);
    text_add(text, ", %lu%% survived\n", survived_percent);
}

/* "    under 64 us        12", from the shortest that there were to the longest. */
static void add_pauses(struct text *text, const struct history *history)
{
    for (uint32_t i = 0; i < HISTORY_BUCKETS; i++)
        if (history->pause_buckets[i] != 0)
            text_add(text, "    under %8lu us%10s%lu\n", UINT64_C(1) << i, "", history->pause_buckets[i]);
}

static void add_collections(struct text *text)
{
    struct history history;
    history_get(&history);
    uint64_t cycles = history.kinds[HISTORY_YOUNG].cycles + history.kinds[HISTORY_FULL].cycles;
    uint64_t freed_blocks = history.kinds[HISTORY_YOUNG].freed_blocks + history.kinds[HISTORY_FULL].freed_blocks;
    uint64_t mean_ns = history.pauses == 0 ? 0 : history.pause_ns / history.pauses;
    text_add(text, "  %-28s%lu (%lu abandoned)\n", "collections", cycles, history.abandoned);
    add_kind(text, "of young blocks", &history, HISTORY_YOUNG);
    add_kind(text, "of all", &history, HISTORY_FULL);
    text_add(text, "  %-28s%lu blocks, ", "freed by collections", freed_blocks);
    text_add_size(text, history.kinds[HISTORY_YOUNG].freed_bytes + history.kinds[HISTORY_FULL].freed_bytes);
    text_add(text, "\n");
    add_row(text, "allocated, as they found", history.allocated_bytes);
    add_row(text, "live after the last", history.live_bytes);
    text_add(text, "  %-28s%lu us mean, %lu us at most, %lu ms in all\n", "pauses", mean_ns / 1000,
             history.pause_ns_max / 1000, history.pause_ns / 1000000);
    add_pauses(text, &history);
}

static void add_sweeps(struct text *text)
{
    struct quarantine_totals totals;
    quarantine_get_totals(&totals);
    uint64_t mean_ns = totals.sweeps == 0 ? 0 : totals.pause_ns / totals.sweeps;
    text_add(text, "  %-28s%lu (%lu abandoned, %lu by age)\n", "sweeps", totals.sweeps, totals.abandoned, totals.by_age);
    text_add(text, "  %-28s%lu us mean, %lu us at most; %lu ms of work in all\n", "their pauses", mean_ns / 1000,
             totals.pause_ns_max / 1000, totals.sweep_ns / 1000000);
    text_add(text, "  %-28s", "read by sweeps");
    text_add_size(text, totals.scanned_bytes);
    text_add(text, "\n  %-28s%lu blocks, ", "released by sweeps", totals.released_blocks);
    text_add_size(text, totals.released_bytes);
    text_add(text, "\n  %-28s%lu blocks, ", "held after the last", totals.held_blocks);
    text_add_size(text, totals.held_bytes);
    text_add(text, "\n  %-28s%lu\n", "written after free", totals.changed_blocks);
}

COLD static void write_statistics(void)
{
    gca_heap_stats stats;
    if (report_collect(&stats) != 0)
        return;
    char name[NAME_BYTES];
    program_name(name, sizeof name);
    char buffer[REPORT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "gcalloc: heap of %s (process %d) at exit\n", name, os_process_id());
    text_add(&text, "  %-28s%lu (%lu large)\n", "blocks still allocated", stats.blocks, stats.large_blocks);
    add_row(&text, "in them", stats.allocated_bytes);
    add_row(&text, "free in spans", stats.free_slot_bytes);
    add_row(&text, "free and kept", stats.dirty_bytes);
    add_row(&text, "returned to the kernel", stats.purged_bytes);
    add_row(&text, "moved instead of copied", stats.moved_bytes);
    add_row(&text, "heap in use at most", atomic_load(&image_now->units_used) * UNIT_BYTES);
    add_row(&text, "metadata", stats.metadata_bytes);
    text_add(&text, "  %-28s%lu\n", "spans", stats.spans);
    text_add(&text, "  %-28s%lu (%lu parked)\n", "thread heaps", stats.threads, stats.parked_threads);
    if (gc_active())
        add_collections(&text);
    if (quarantine_active())
        add_sweeps(&text);
    message_write(&text);
}

IN_EVERY_PROCESS void report_at_exit(void)
{
    const struct options *options = options_now();
    if (options->stats)
        write_statistics();
    const char *problem = options->verify && !options->shadow ? heap_verify(false) : NULL;
    if (problem != NULL) {
        message_note("error: corrupted metadata: %s\n  see gcalloc(7), \"corrupted metadata\"", problem);
        os_abort();
    }
}
