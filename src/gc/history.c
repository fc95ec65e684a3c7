/*
 * gc/history: what the collector has done so far.
 *
 * Uses os, base, heap. Locks: one of its own, inside of the collector's others.
 */
#include "gc/history.h"

#include "base/bits.h"
#include "base/image.h"
#include "heap/metadata.h"
#include "os/thread.h"

#include <errno.h>
#include <string.h>

static struct history *now;

int history_start(void)
{
    struct history *history = metadata_take(sizeof *history);
    if (history == NULL)
        return -ENOMEM;
    history->history_bytes = sizeof *history;
    history->start_ns = history->last_end_ns = os_clock_ns();
    now = history;
    image_now->collector = history;
    return 0;
}

/* What was there before the cycle, and what of it is new. */
static uint64_t new_bytes(const struct history_cycle *cycle)
{
    uint64_t found = cycle->live_bytes + cycle->freed_bytes;
    if (cycle->kind == HISTORY_YOUNG)
        return found;
    return found > now->live_bytes ? found - now->live_bytes : 0;
}

static void note_rate(const struct history_cycle *cycle, uint64_t bytes)
{
    uint64_t interval_us = (cycle->end_ns - now->last_end_ns) / 1000;
    interval_us += interval_us == 0;
    now->rate_bytes_per_s = bytes / interval_us * 1000000 + bytes % interval_us * 1000000 / interval_us;
    now->last_end_ns = cycle->end_ns;
}

static void note_kind(const struct history_cycle *cycle)
{
    uint64_t found = cycle->live_bytes + cycle->freed_bytes;
    struct history_kind_totals *totals = &now->kinds[cycle->kind];
    totals->cycles++;
    totals->candidate_bytes += found;
    totals->freed_blocks += cycle->freed_blocks;
    totals->freed_bytes += cycle->freed_bytes;
    totals->time_ns += cycle->end_ns - cycle->start_ns;
    now->survived_permille[cycle->kind] = found == 0 ? 0 : cycle->live_bytes * 1000 / found;
}

void history_note_cycle(const struct history_cycle *cycle)
{
    if (now == NULL)
        return;
    history_lock();
    uint64_t bytes = new_bytes(cycle);
    note_kind(cycle);
    note_rate(cycle, bytes);
    now->allocated_bytes += bytes;
    now->mark_ns += cycle->mark_ns;
    now->scanned_bytes += cycle->scanned_bytes;
    bool is_young = cycle->kind == HISTORY_YOUNG;
    now->live_blocks = cycle->live_blocks + (is_young ? now->live_blocks : 0);
    now->live_bytes = cycle->live_bytes + (is_young ? now->live_bytes : 0);
    history_unlock();
}

void history_note_failure(void)
{
    history_lock();
    if (now != NULL)
        now->abandoned++;
    history_unlock();
}

static uint32_t bucket_of(uint64_t pause_ns)
{
    uint64_t pause_us = pause_ns / 1000;
    uint32_t bucket = pause_us == 0 ? 0 : bit_highest(pause_us) + 1;
    return bucket < HISTORY_BUCKETS ? bucket : HISTORY_BUCKETS - 1;
}

void history_note_pause(uint64_t pause_ns)
{
    if (now == NULL)
        return;
    history_lock();
    now->pauses++;
    now->pause_ns += pause_ns;
    now->pause_ns_last = pause_ns;
    now->pause_ns_max = pause_ns > now->pause_ns_max ? pause_ns : now->pause_ns_max;
    now->pause_buckets[bucket_of(pause_ns)]++;
    history_unlock();
}

void history_get(struct history *history_out)
{
    history_lock();
    if (now != NULL)
        *history_out = *now;
    else
        memset(history_out, 0, sizeof *history_out);
    history_unlock();
}

void history_lock(void)
{
    if (now != NULL)
        lock_take(&now->lock);
}

void history_unlock(void)
{
    if (now != NULL)
        lock_release(&now->lock);
}

void history_lock_reset(void)
{
    if (now != NULL)
        lock_reset(&now->lock);
}
