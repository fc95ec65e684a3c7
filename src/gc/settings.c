/*
 * gc/settings: how the collector weighs memory against time and pauses.
 *
 * Each value is one word and may be read while it changes; no two have to fit each other.
 *
 * Uses base, heap. Locks: none.
 */
#include "gc/settings.h"

#include "base/options.h"
#include "heap/runs.h"

#include <errno.h>
#include <stddef.h>

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

enum { FIELDS = sizeof(struct gc_settings) / sizeof(uint64_t) };

/* mode, growth %, growth at least, young, threads, pause us, throughput %, tracking, limit */
static const struct gc_settings presets[GC_MODE_COUNT] = {
    {GC_MODE_BALANCED, 120, 16 * MIB, 16 * MIB, 4, 2000, 90, GC_TRACKING_KERNEL, 0},
    {GC_MODE_THROUGHPUT, 200, 64 * MIB, 64 * MIB, 8, 20000, 97, GC_TRACKING_KERNEL, 0},
    {GC_MODE_LATENCY, 120, 16 * MIB, 8 * MIB, 4, 500, 80, GC_TRACKING_KERNEL, 0},
    {GC_MODE_MEMORY, 40, 1 * MIB, 4 * MIB, 2, 5000, 10, GC_TRACKING_KERNEL, 0},
    {GC_MODE_TRAINING, 400, 256 * MIB, 256 * MIB, 8, 100000, 99, GC_TRACKING_KERNEL, 0},
    {GC_MODE_INFERENCE, 100, 8 * MIB, 4 * MIB, 2, 500, 80, GC_TRACKING_KERNEL, 0},
};

static const struct gc_settings maxima = {
    GC_MODE_COUNT - 1, 10000, (uint64_t)1 << 50, (uint64_t)1 << 50, 256, 1000000000, 99, GC_TRACKING_LAST, (uint64_t)1 << 50,
};

static struct gc_settings now = {GC_MODE_BALANCED, 120, 16 * MIB, 16 * MIB, 4, 2000, 90, GC_TRACKING_KERNEL, 0};

const struct gc_settings *gc_settings_now(void)
{
    return &now;
}

uint64_t gc_settings_stop_ns(void)
{
    enum { NS_A_US = 1000, BALANCE = 5 };
    bool balances = now.mode == GC_MODE_BALANCED && now.pause_us == presets[GC_MODE_BALANCED].pause_us;
    return now.pause_us * NS_A_US * (balances ? BALANCE : 1);
}

int gc_settings_set(const struct gc_settings *wanted)
{
    const uint64_t *given = (const uint64_t *)wanted, *most = (const uint64_t *)&maxima;
    for (size_t i = 0; i < FIELDS; i++)
        if (given[i] > most[i])
            return -EINVAL;
    const uint64_t *preset = (const uint64_t *)&presets[wanted->mode];
    for (size_t i = 0; i < FIELDS; i++)
        __atomic_store_n(&((uint64_t *)&now)[i], given[i] != 0 ? given[i] : preset[i], __ATOMIC_RELAXED);
    run_set_limit((wanted->heap_limit_bytes + UNIT_BYTES - 1) >> UNIT_SHIFT);
    return 0;
}

void gc_settings_start(void)
{
    const struct options *options = options_now();
    gc_settings_set(&(struct gc_settings){
        .mode = options->gc_mode,
        .growth_percent = options->gc_growth,
        .growth_min_bytes = options->gc_growth_min,
        .young_bytes = options->gc_young,
        .threads = options->gc_threads,
        .pause_us = options->gc_pause_us,
        .throughput_percent = options->gc_throughput,
        .tracking = options->gc_tracking + GC_TRACKING_KERNEL,
        .heap_limit_bytes = options->heap_limit,
    });
}
