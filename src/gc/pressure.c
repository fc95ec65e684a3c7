/*
 * gc/pressure: memory is short in the machine or the container.
 *
 * Uses os, base, heap. Locks: one of its own, which is not held while callbacks run.
 */
#include "gc/pressure.h"

#include "base/compiler.h"
#include "base/image.h"
#include "base/lock.h"
#include "base/options.h"
#include "gc/pacing.h"
#include "gc/region.h"
#include "os/pressure.h"
#include "os/thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CALLBACKS_MAX = 16,
    LOOK_INTERVAL_NS = 100000000,
    ACT_INTERVAL_NS = 1000000000,
    SOME_STALLED_PERCENT = 10, /* of the last ten seconds */
    FULL_STALLED_PERCENT = 5,
    CRITICAL_STALLED_PERCENT = 20, /* all tasks */
    SOME_USED_PERCENT = 90,        /* of the cgroup's limit */
    CRITICAL_USED_PERCENT = 97,
};

static struct {
    pressure_callback *callback;
    void *data;
} callbacks[CALLBACKS_MAX];

static struct lock callbacks_lock;
static size_t callback_count;
static _Atomic uint64_t looked_ns, acted_ns;
static _Atomic int level_now;

void pressure_lock(void)
{
    lock_take(&callbacks_lock);
}

void pressure_unlock(void)
{
    lock_release(&callbacks_lock);
}

void pressure_lock_reset(void)
{
    lock_reset(&callbacks_lock);
}

int pressure_add(pressure_callback *callback, void *data)
{
    int result = -ENOMEM;
    pressure_lock();
    if (callback_count < CALLBACKS_MAX) {
        callbacks[callback_count].callback = callback;
        callbacks[callback_count++].data = data;
        result = 0;
    }
    pressure_unlock();
    return result;
}

int pressure_remove(pressure_callback *callback, void *data)
{
    int result = -ENOENT;
    pressure_lock();
    for (size_t i = callback_count; i-- > 0 && result != 0;)
        if (callbacks[i].callback == callback && callbacks[i].data == data) {
            callbacks[i] = callbacks[--callback_count];
            result = 0;
        }
    pressure_unlock();
    return result;
}

/* A copy of one is called, so that it may remove itself or others. */
static void tell(int level)
{
    for (size_t i = 0;; i++) {
        pressure_lock();
        bool is_one = i < callback_count;
        pressure_callback *callback = is_one ? callbacks[i].callback : NULL;
        void *data = is_one ? callbacks[i].data : NULL;
        pressure_unlock();
        if (!is_one)
            return;
        callback(level, data);
    }
}

static enum pressure_level level_of(const struct os_pressure *pressure)
{
    uint64_t used_percent = pressure->limit_bytes / 100 == 0 ? 0 : pressure->used_bytes / (pressure->limit_bytes / 100);
    if (pressure->full_percent >= CRITICAL_STALLED_PERCENT || used_percent >= CRITICAL_USED_PERCENT)
        return PRESSURE_CRITICAL;
    if (pressure->full_percent >= FULL_STALLED_PERCENT || pressure->some_percent >= SOME_STALLED_PERCENT ||
        used_percent >= SOME_USED_PERCENT)
        return PRESSURE_SOME;
    return PRESSURE_NONE;
}

/* True when something is to be done about it: it has become worse, or lasts. */
static bool look(uint64_t now_ns, enum pressure_level *level_out)
{
    struct os_pressure pressure;
    os_pressure_read(options_now()->pressure_root, &pressure);
    enum pressure_level level = level_of(&pressure);
    int before = atomic_exchange_explicit(&level_now, (int)level, memory_order_relaxed);
    bool lasts = now_ns - atomic_load_explicit(&acted_ns, memory_order_relaxed) > ACT_INTERVAL_NS;
    *level_out = level;
    pacing_press(level != PRESSURE_NONE);
    if (level == PRESSURE_NONE || ((int)level <= before && !lasts))
        return false;
    atomic_store_explicit(&acted_ns, now_ns, memory_order_relaxed);
    return true;
}

COLD enum pressure_level pressure_look(void)
{
    enum pressure_level level;
    if (look(os_clock_coarse_ns(), &level))
        tell((int)level);
    return level;
}

/* In a sandbox, where regions are off, no file may be opened; in the child of a vfork nothing may change. */
COLD static bool look_in_time(uint64_t now_ns)
{
    enum pressure_level level;
    if (!options_now()->gc_pressure || !region_is_on || os_process_id() != image_now->process_id)
        return false;
    if (!look(now_ns, &level))
        return false;
    tell((int)level);
    return true;
}

bool pressure_wants_cycle(void)
{
    uint64_t now_ns = os_clock_coarse_ns();
    uint64_t last_ns = atomic_load_explicit(&looked_ns, memory_order_relaxed);
    if (LIKELY(now_ns - last_ns < LOOK_INTERVAL_NS) ||
        !atomic_compare_exchange_strong_explicit(&looked_ns, &last_ns, now_ns, memory_order_relaxed,
                                                 memory_order_relaxed))
        return false;
    return look_in_time(now_ns);
}
