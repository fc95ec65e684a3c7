/*
 * gc/allowance: how much may be held before the quarantine sweeps.
 *
 * Uses os, base, heap. Locks: none.
 */
#include "gc/allowance.h"

#include "base/image.h"
#include "base/options.h"
#include "heap/limbo.h"
#include "heap/unit.h"
#include "os/thread.h"

#include <stdatomic.h>

enum {
    COST_HIGH = 24, /* more than one part in so many of the time goes into sweeps: the allowance doubles */
    COST_LOW = 96,
    FACTOR_MAX = 4,
    SHARE_DIVISOR = 8, /* by how much less a share grows than the least allowance does */
};

static _Atomic size_t factor = 1; /* by what sweeps cost */
static uint64_t last_work_ns;     /* of the process, when the last sweep ended */
static _Atomic size_t last_read_bytes;

void allowance_start(void)
{
    last_work_ns = os_process_work_ns();
    limbo_set_allowed(allowance_bytes());
}

/* A share of the heap, or of what a sweep reads where that is more: a program may keep most of its memory elsewhere. */
size_t allowance_bytes(void)
{
    size_t heap_bytes = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed)
                        << UNIT_SHIFT;
    size_t held_bytes = limbo_bytes_now();
    size_t live_bytes = heap_bytes > held_bytes ? heap_bytes - held_bytes : 0;
    size_t cost_bytes = atomic_load_explicit(&last_read_bytes, memory_order_relaxed);
    size_t by_cost = atomic_load_explicit(&factor, memory_order_relaxed);
    size_t share_bytes =
        (cost_bytes > live_bytes ? cost_bytes : live_bytes) / options_now()->quarantine_share;
    size_t least_bytes = options_now()->quarantine_min * by_cost;
    share_bytes += share_bytes * (by_cost - 1) / SHARE_DIVISOR;
    return share_bytes > least_bytes ? share_bytes : least_bytes;
}

void allowance_adapt(size_t read_bytes, uint64_t cost_ns)
{
    uint64_t work_ns = os_process_work_ns();
    uint64_t interval_ns = work_ns - last_work_ns + 1;
    size_t now = atomic_load_explicit(&factor, memory_order_relaxed);
    atomic_store_explicit(&last_read_bytes, read_bytes, memory_order_relaxed);
    if (cost_ns * COST_HIGH > interval_ns && now < FACTOR_MAX)
        atomic_store_explicit(&factor, now * 2, memory_order_relaxed);
    else if (cost_ns * COST_LOW < interval_ns && now > 1)
        atomic_store_explicit(&factor, now / 2, memory_order_relaxed);
    last_work_ns = work_ns;
    limbo_set_allowed(allowance_bytes());
}
