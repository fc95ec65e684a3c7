/*
 * gc/pacing: when the next cycle is due.
 *
 * The heap may grow by a share of what lived, at least by some megabytes. Growth is counted in units: what fills the holes
 * that a cycle left costs no memory and brings no cycle nearer. After a cycle that found little the next one comes later,
 * but not so late that the heap is more than two and a half times what lives. A program that frees what it allocates has a
 * cycle only whenever its heap is larger than it ever was.
 *
 * What a cycle costs beside marking does not depend on the heap's size. So a heap that grows slowly need not grow by as
 * much as one that grows fast: the least is halved while cycles cost next to nothing. Where they cost more than the mode
 * allows, the share grows. Before a limit, and while memory is short everywhere, cycles come sooner.
 *
 * Locks: none; written by the collecting thread alone, read by all.
 */
#include "gc/pacing.h"

#include "base/image.h"
#include "gc/history.h"
#include "gc/settings.h"
#include "heap/runs.h"
#include "heap/sizes.h"
#include "os/thread.h"

#include <stdatomic.h>

enum {
    POOR_PERCENT = 115, /* of the usual share */
    POOR = 16,          /* a cycle that frees less than this part of the heap was in vain */
    RICH = 4,
    STRETCH_MIN = 100, /* percent of the share */
    STRETCH_MAX = 300,
    LEAST_PARTS_MAX = 8, /* the least growth is this part of the mode's, at its smallest */
    CHEAP_PERMILLE = 10, /* of the time */
    DEAR_PERMILLE = 40,
    LIMIT_PARTS = 32, /* of a heap limit: nearer than this, only its end brings a cycle */
    PRESSED_PERCENT = 25,
    VAIN_MAX = 8,    /* cycles in a row may find next to nothing where memory has run out */
    VAIN_PART = 64,  /* less than this part of the heap */
    VAIN_CHANGE = 32, /* and the heap does not become smaller by this part meanwhile */
    OVERTIME = 4,    /* the program waits for a cycle beside it when the heap has grown by this part more than it may */
    HEAD_START = 3,  /* which begins this part of the growth before it is due */
    YOUNG_PART = 2,  /* of the growth is left, or the next cycle is a full one */
    VAIN_PAUSES = 4, /* then each is followed by so many times its length */
};

static const uint64_t SOON_NS = 1000000000;

static _Atomic size_t limit_units;  /* a cycle is due when the heap would get larger; 0 at first */
static _Atomic size_t growth_units; /* from the last cycle to there */
static _Atomic bool is_pressed;
static bool was_poor;
static bool is_young;          /* the next cycle may be */
static uint64_t kept_bytes;    /* by the last full cycle, and by young ones since */
static size_t units_before_sweep;
static bool is_soon;           /* after the last cycle, or after the program began */
static size_t stretch_percent = STRETCH_MIN;
static size_t least_parts = 1;
static uint64_t last_ns, last_paused_ns;
static _Atomic uint64_t vain_end_ns, vain_time_ns, vain_count;
static _Atomic size_t vain_units; /* taken then */

static size_t units_now(void)
{
    return atomic_load_explicit(&image_now->units_taken, memory_order_relaxed);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Half of what is left, but a 32nd of the limit: the last cycles before it would follow each other too fast. */
static size_t growth_to_limit(size_t growth)
{
    size_t most = run_limit();
    if (most == SIZE_MAX)
        return growth;
    size_t left = most > units_now() ? most - units_now() : 0;
    return smaller(growth, larger(left / 2, most / LIMIT_PARTS));
}

static void set_limit(size_t growth_bytes)
{
    size_t least = gc_settings_now()->growth_min_bytes / least_parts;
    size_t growth = growth_to_limit(larger(growth_bytes, least) >> UNIT_SHIFT);
    atomic_store_explicit(&growth_units, growth, memory_order_relaxed);
    atomic_store_explicit(&limit_units, units_now() + growth, memory_order_relaxed);
}

/* The program has freed since memory ran out last, so the next time is another matter. */
static void forget_vain(size_t taken_units)
{
    size_t then = atomic_load_explicit(&vain_units, memory_order_relaxed);
    if (then != 0 && taken_units < then - then / VAIN_CHANGE) {
        atomic_store_explicit(&vain_count, 0, memory_order_relaxed);
        atomic_store_explicit(&vain_units, 0, memory_order_relaxed);
    }
}

bool pacing_is_due(size_t unit_count)
{
    forget_vain(units_now());
    size_t limit = atomic_load_explicit(&limit_units, memory_order_relaxed);
    if (limit == 0)
        limit = growth_to_limit(gc_settings_now()->growth_min_bytes >> UNIT_SHIFT);
    return unit_count < smaller(image_now->unit_limit, run_limit()) && units_now() + unit_count > limit;
}

/* How much of the program's time was lost since the cycle before, from which the share and the least growth follow. */
static void weigh_cost(void)
{
    struct history history;
    history_get(&history);
    uint64_t now_ns = os_clock_ns();
    uint64_t time_us = (now_ns - last_ns) / 1000;
    uint64_t lost_permille = time_us == 0 ? 0 : (history.pause_ns - last_paused_ns) / time_us;
    last_ns = now_ns;
    last_paused_ns = history.pause_ns;
    uint64_t allowed_permille = 1000 - 10 * gc_settings_now()->throughput_percent;
    if (lost_permille > allowed_permille)
        stretch_percent = smaller(stretch_percent + stretch_percent / 4, STRETCH_MAX);
    else if (lost_permille < allowed_permille / 2)
        stretch_percent = larger(stretch_percent - stretch_percent / 5, STRETCH_MIN);
    if (lost_permille > DEAR_PERMILLE)
        least_parts = larger(least_parts / 2, 1);
    else if (lost_permille < CHEAP_PERMILLE)
        least_parts = smaller(least_parts * 2, LEAST_PARTS_MAX);
}

static size_t share_percent(void)
{
    bool may_stretch = gc_settings_now()->mode != GC_MODE_BALANCED;
    size_t share = gc_settings_now()->growth_percent * (may_stretch ? stretch_percent : STRETCH_MIN) / 100;
    if (atomic_load_explicit(&is_pressed, memory_order_relaxed))
        return smaller(share, PRESSED_PERCENT);
    return was_poor ? share * POOR_PERCENT / 100 : share;
}

bool pacing_is_near(size_t unit_count)
{
    size_t limit = atomic_load_explicit(&limit_units, memory_order_relaxed);
    size_t growth = atomic_load_explicit(&growth_units, memory_order_relaxed);
    if (limit == 0)
        limit = growth = growth_to_limit(gc_settings_now()->growth_min_bytes >> UNIT_SHIFT);
    return unit_count < image_now->unit_limit && units_now() + unit_count > limit - growth / HEAD_START;
}

bool pacing_is_late(size_t unit_count)
{
    size_t limit = atomic_load_explicit(&limit_units, memory_order_relaxed);
    size_t growth = atomic_load_explicit(&growth_units, memory_order_relaxed);
    return units_now() + unit_count > (limit != 0 ? limit : growth) + growth / OVERTIME;
}

void pacing_begin_sweep(void)
{
    struct history history;
    history_get(&history);
    units_before_sweep = units_now();
    is_soon = os_clock_ns() - history.last_end_ns < SOON_NS;
    run_expect(is_soon ? units_before_sweep : 0);
}

void pacing_end_sweep(void)
{
    size_t taken = units_now();
    run_expect(is_soon && taken < units_before_sweep ? units_before_sweep - taken : 0);
}

void pacing_note_cycle(uint64_t live_bytes, uint64_t freed_bytes)
{
    uint64_t heap_bytes = live_bytes + freed_bytes;
    if (freed_bytes < heap_bytes / POOR)
        was_poor = true;
    else if (freed_bytes >= heap_bytes / RICH)
        was_poor = false;
    weigh_cost();
    kept_bytes = live_bytes;
    is_young = true;
    set_limit(live_bytes / 100 * share_percent());
}

/* The limit stays where the last full cycle has set it: what grew old since may be garbage. */
void pacing_note_young(uint64_t survived_bytes, uint64_t freed_bytes)
{
    size_t limit = atomic_load_explicit(&limit_units, memory_order_relaxed);
    size_t growth = atomic_load_explicit(&growth_units, memory_order_relaxed);
    bool keeps_all = was_poor && freed_bytes < (freed_bytes + survived_bytes) / POOR;
    kept_bytes += survived_bytes;
    weigh_cost();
    is_young = units_now() + growth / YOUNG_PART <= limit;
    if (keeps_all)
        set_limit(kept_bytes / 100 * share_percent());
}

bool pacing_is_young(void)
{
    return is_young;
}

void pacing_note_failure(void)
{
    set_limit(units_now() << (UNIT_SHIFT - 1));
}

bool pacing_is_exhausted(void)
{
    uint64_t left_alone_ns = os_clock_ns() - atomic_load_explicit(&vain_end_ns, memory_order_relaxed);
    return atomic_load_explicit(&vain_count, memory_order_relaxed) < VAIN_MAX ||
           left_alone_ns > VAIN_PAUSES * atomic_load_explicit(&vain_time_ns, memory_order_relaxed);
}

void pacing_note_exhausted(uint64_t start_ns)
{
    struct history history;
    history_get(&history);
    bool was_vain = history.survived_permille[HISTORY_FULL] > 1000 - 1000 / VAIN_PART;
    uint64_t end_ns = os_clock_ns();
    atomic_store_explicit(&vain_units, units_now(), memory_order_relaxed);
    atomic_store_explicit(&vain_end_ns, end_ns, memory_order_relaxed);
    atomic_store_explicit(&vain_time_ns, end_ns - start_ns, memory_order_relaxed);
    atomic_store_explicit(&vain_count, was_vain ? atomic_load_explicit(&vain_count, memory_order_relaxed) + 1 : 0,
                          memory_order_relaxed);
}

void pacing_press(bool pressed)
{
    atomic_store_explicit(&is_pressed, pressed, memory_order_relaxed);
}
