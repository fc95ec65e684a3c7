/*
 * gc/outcome: what is learned from a cycle that has ended.
 *
 * Uses os, base, heap. Locks: none; the caller has the cycle's.
 */
#include "gc/outcome.h"

#include "base/image.h"
#include "base/message.h"
#include "base/options.h"
#include "gc/cycle_run.h"
#include "gc/expect.h"
#include "gc/history.h"
#include "gc/pacing.h"
#include "gc/settings.h"
#include "gc/trace.h"
#include "heap/unit.h"

#include <errno.h>
#include <stdatomic.h>

static const char *const reason_names[] = {"asked", "grown", "exhausted", "torture", "pressed"};

static uint64_t full_scanned_bytes;
static _Atomic size_t units_then; /* taken after the last cycle */
static bool young_pays;
static uint64_t full_cost_ns;    /* of the last full cycle, had it been in one stop and its blocks at hand */
static _Atomic bool young_stops; /* take much less than that */

/* What marking takes: nanoseconds a block, and bytes a nanosecond; and how fast old blocks are read that lead to few young ones. */
enum { BLOCK_NS = 12, BYTES_A_NS = 16, OLD_BYTES_A_NS = 10 };

/* Old blocks are all that the last full cycle read, and what young ones have left since. */
static void weigh_young_stop(const struct cycle *cycle)
{
    uint64_t cost_ns = cycle_marker.scanned_bytes / OLD_BYTES_A_NS + (cycle->is_young ? cycle_marker.blocks * BLOCK_NS : 0);
    atomic_store_explicit(&young_stops, pacing_is_young() && cost_ns + cost_ns / 2 < full_cost_ns, memory_order_relaxed);
}

/* In one stop it is not remembered what was written: old blocks are read. */
static void note_young_stop(const struct cycle *cycle)
{
    const struct sweep_result *swept = &cycle->swept;
    pacing_note_young(swept->live_bytes, swept->freed_bytes);
    weigh_young_stop(cycle);
}

/*
 * Young cycles go on as long as they free a quarter of what they look at, and read much less than a full one. After a full one that
 * has found next to nothing they are not tried in small heaps: most such programs free what they allocate.
 */
static void note_generations(const struct cycle *cycle)
{
    enum { PAYS_PART = 4, POOR_PART = 16, SMALL_BYTES = 64 << 20 };
    const struct sweep_result *swept = &cycle->swept;
    expect_note(cycle);
    units_then = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed);
    if (cycle->is_young && cycle->rounds == 0) {
        note_young_stop(cycle);
        return;
    }
    if (cycle->is_young) {
        young_pays = swept->freed_bytes >= (swept->freed_bytes + swept->live_bytes) / PAYS_PART &&
                     cycle_marker.scanned_bytes < full_scanned_bytes / 2;
        return;
    }
    young_pays = swept->live_bytes >= SMALL_BYTES || swept->freed_bytes >= swept->live_bytes / POOR_PART;
    full_scanned_bytes = cycle_marker.scanned_bytes;
    full_cost_ns = cycle_marker.blocks * BLOCK_NS + cycle_marker.scanned_bytes / BYTES_A_NS;
    pacing_note_cycle(swept->live_bytes, swept->freed_bytes);
    weigh_young_stop(cycle);
}

static void note_success(const struct cycle *cycle)
{
    history_note_cycle(&(struct history_cycle){
        .kind = cycle->is_young ? HISTORY_YOUNG : HISTORY_FULL,
        .start_ns = cycle->start_ns,
        .end_ns = cycle->end_ns,
        .mark_ns = cycle->marked_ns - cycle->stopped_ns,
        .scanned_bytes = cycle_marker.scanned_bytes,
        .freed_blocks = cycle->swept.freed_blocks,
        .freed_bytes = cycle->swept.freed_bytes,
        .live_blocks = cycle->swept.live_blocks,
        .live_bytes = cycle->swept.live_bytes,
    });
    trace_phase("collection", cycle->start_ns, cycle->end_ns);
    trace_count("live", cycle->end_ns, cycle->swept.live_bytes);
    trace_count("heap", cycle->end_ns, atomic_load(&image_now->units_taken) * UNIT_BYTES);
    note_generations(cycle);
}

void outcome_note(const struct cycle *cycle)
{
    if (cycle->result == 0) {
        note_success(cycle);
    } else if (cycle->result != -ECANCELED) {
        history_note_failure();
        pacing_note_failure();
    }
}

/* Asking what was written, and for what is young, costs by the heap's size. */
enum { YOUNG_PART = 16 };

bool outcome_wants_young(void)
{
    size_t taken = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed);
    size_t then = atomic_load_explicit(&units_then, memory_order_relaxed);
    size_t young = gc_settings_now()->young_bytes >> UNIT_SHIFT;
    young = young > then / YOUNG_PART ? young : then / YOUNG_PART;
    return young_pays && taken > then && taken - then >= young;
}

bool outcome_stops_for_young(void)
{
    if (!atomic_load_explicit(&young_stops, memory_order_relaxed) || options_now()->concurrent == CONCURRENT_ALWAYS)
        return false;
    return options_now()->concurrent == CONCURRENT_NEVER ||
           expect_young_ns() <= gc_settings_stop_ns();
}

/* One line, in one write: the unit of time is a microsecond. */
void outcome_log(const struct cycle *cycle)
{
    struct history history;
    char buffer[512];
    struct text text = text_in(buffer, sizeof buffer);
    history_get(&history);
    text_add(&text, "gcalloc: gc %lu (%s): ", history.kinds[HISTORY_FULL].cycles + history.kinds[HISTORY_YOUNG].cycles, reason_names[cycle->reason]);
    if (cycle->result != 0) {
        text_add(&text, "abandoned, error %d\n", -cycle->result);
    } else {
        text_add(&text, "%lu us, marked in %lu us, scanned ", history.pause_ns_last / 1000,
                 (cycle->marked_ns - cycle->stopped_ns) / 1000);
        text_add_size(&text, cycle_marker.scanned_bytes);
        text_add(&text, "; freed %lu blocks, ", cycle->swept.freed_blocks);
        text_add_size(&text, cycle->swept.freed_bytes);
        text_add(&text, "; %lu blocks live, ", cycle->swept.live_blocks);
        text_add_size(&text, cycle->swept.live_bytes);
        text_add(&text, " in ");
        text_add_size(&text, atomic_load(&image_now->units_taken) * UNIT_BYTES);
        if (cycle->is_young)
            text_add(&text, "; young blocks");
        if (cycle->rounds != 0)
            text_add(&text, "; beside the program, %u rounds, %lu pages at the end", cycle->rounds, cycle->last_pages);
        text_add(&text, "\n");
    }
    message_write(&text);
}
