/*
 * gc/trawl: reads the heap for pointers to held blocks piece by piece, while the program runs.
 *
 * First the units that have candidates are found, then every present page is protected and read, then, again and again, what was written
 * since. A large block that is held loses access to its pages, and blocks move, only under large_lock(), which each piece holds.
 *
 * Uses os, heap. Locks: the run lock, and large_lock() around each piece that is read while threads run.
 */
#include "gc/trawl.h"

#include "base/bits.h"
#include "base/image.h"
#include "gc/area.h"
#include "heap/large.h"
#include "heap/limbo.h"
#include "heap/runs.h"
#include "os/thread.h"
#include "os/tracking.h"

#include <stdatomic.h>
#include <string.h>

enum {
    SPANS_AT_ONCE = 256,
    DIRTY_BYTES_ENOUGH = 512 * 1024, /* what the stop may have to read */
    PASSES_MAX = 16,
    REGION_SHIFT = 21, /* pages that are written over and over lie in few regions */
    HOT_BEFORE = 1,    /* pages in the region were found written in the last pass */
    HOT_NOW = 2,       /* and in this one */
    STOPPED_BYTES_MIN = 64 * 1024, /* between two looks at the clock in a stop */
    STOPPED_BYTES_MAX = 1024 * 1024,
    LOOKS_MIN = 4, /* at the clock in the time that a stop may take, so that it takes little more */
    LOOKS_MAX = 32,
    CLEAN_FACTOR = 32, /* looking whether pages were written is so much quicker than reading them */
};

enum phase { PHASE_UNITS, PHASE_READ, PHASE_CLEAN };

static struct pointed *pointed;
static enum phase phase;
static size_t next_unit;
static uintptr_t next_address;
static size_t visited_bytes; /* in this pass */
static size_t visited_before; /* in the last one */
static size_t stopped_bytes = STOPPED_BYTES_MIN; /* one piece in a stop */
static uint32_t passes;
static bool looks_everywhere; /* in this pass, also where the last one found nothing written */
static uint64_t read_once_bytes; /* by the first pass */
static struct area regions_area; /* a byte for each region */
static size_t region_count;      /* those behind are always looked at */
static _Atomic bool is_forbidden;
static _Atomic bool is_impossible;

bool trawl_is_possible(void)
{
    return !is_impossible && !is_forbidden && options_now()->wipe != WIPE_NO &&
           options_now()->guard_sample == 0;
}

bool trawl_prepare(void)
{
    is_impossible = os_tracking_start() != 0;
    return !is_impossible;
}

static uintptr_t heap_end(void)
{
    size_t used = atomic_load_explicit(&image_now->units_used, memory_order_acquire);
    return heap_layout.slots_start + (used << UNIT_SHIFT);
}

static void prepare_regions(void)
{
    size_t heap_bytes = atomic_load_explicit(&heap_layout.limit_bytes, memory_order_relaxed);
    region_count = heap_bytes >> REGION_SHIFT;
    if (area_need(&regions_area, region_count) == 0)
        memset(regions_area.start, 0, region_count);
    else
        region_count = 0;
}

void trawl_start(struct pointed *search)
{
    prepare_regions();
    pointed = search;
    phase = PHASE_UNITS;
    next_unit = 0;
    next_address = heap_layout.slots_start;
    visited_bytes = 0;
    visited_before = 0;
    passes = 0;
    looks_everywhere = false;
    large_copy_only(true);
}

/* Candidates are all there since the turn, and their spans stay. */
static bool find_units(void)
{
    struct span *span = NULL;
    run_lock();
    for (int i = 0; i < SPANS_AT_ONCE && (span = span_from(next_unit)) != NULL; i++) {
        pointed_note_span(pointed, span);
        next_unit = span->first_unit + span->unit_count;
    }
    run_unlock();
    return span == NULL;
}

/* A word may lie across the border from the page before, if both are of one block, and then that can be read as well. */
static bool begins_before(uintptr_t start)
{
    if (start % UNIT_BYTES != 0)
        return true;
    const void *before = (const void *)(start - 1);
    struct span *span = heap_contains(before) ? span_at(before) : NULL;
    return span != NULL && span == span_at((const void *)start);
}

/* Free units are skipped, and large blocks that are held: they may be inaccessible. */
static bool is_read(uintptr_t address)
{
    const struct span *span = span_at((const void *)address);
    if (span == NULL)
        return false;
    const struct unit *first = &heap_layout.units[span->first_unit];
    return first->kind == UNIT_SPAN ||
           slot_is_allocated(atomic_load_explicit(&first->large_state, memory_order_relaxed));
}

static void read_part(uintptr_t start, uintptr_t end)
{
    visited_bytes += end - start;
    pointed_range(pointed, (const void *)(start - (begins_before(start) ? 4 : 0)),
                  (const void *)end, 4);
}

static size_t region_of(uintptr_t address)
{
    return (address - heap_layout.slots_start) >> REGION_SHIFT;
}

static void note_hot(uintptr_t start, uintptr_t end)
{
    for (size_t i = region_of(start); i <= region_of(end - 1) && i < region_count; i++)
        regions_area.start[i] |= HOT_NOW;
}

/* What this pass found hot is what the next one looks at. */
static void turn_regions(void)
{
    for (size_t i = 0; i < region_count; i++)
        regions_area.start[i] = (char)(regions_area.start[i] & HOT_NOW ? HOT_BEFORE : 0);
}

static void read_pages(uintptr_t start, uintptr_t end, void *context)
{
    (void)context;
    if (phase == PHASE_CLEAN)
        note_hot(start, end);
    while (start < end) {
        uintptr_t to = start;
        while (to < end && is_read(to))
            to = round_down(to, UNIT_BYTES) + UNIT_BYTES;
        to = to < end ? to : end;
        if (to > start)
            read_part(start, to);
        start = to > start ? to : round_down(start, UNIT_BYTES) + UNIT_BYTES;
    }
}

/*
 * The first pass after the reading looks at everything, to know where the program writes; those that follow look there again, and
 * nowhere else, so that they take as long as there is something to read. What is written elsewhere the stop will find. When that does not
 * gain any more, one looks everywhere again.
 */
static uintptr_t skip_cold(uintptr_t address, uintptr_t end)
{
    while (passes > 1 && !looks_everywhere && address < end && region_of(address) < region_count &&
           !(regions_area.start[region_of(address)] & HOT_BEFORE))
        address = heap_layout.slots_start + ((region_of(address) + 1) << REGION_SHIFT);
    return address < end ? address : end;
}

/* The end of the regions that are to be looked at together, at most size_bytes. */
static uintptr_t end_of_piece(size_t size_bytes, uintptr_t end)
{
    uintptr_t to = end - next_address > size_bytes ? next_address + size_bytes : end;
    uintptr_t hot = next_address;
    while (hot < to && skip_cold(hot, end) == hot)
        hot = heap_layout.slots_start + ((region_of(hot) + 1) << REGION_SHIFT);
    return hot < to ? hot : to;
}

/* Protects and reads the next piece of the address space. Returns true after the last one. large_lock() is held. */
static bool read_piece(size_t size_bytes)
{
    uintptr_t end = heap_end();
    next_address = skip_cold(next_address, end);
    uintptr_t to = end_of_piece(size_bytes, end);
    if (next_address < to && !is_forbidden)
        os_tracking_epoch(next_address, to, read_pages, NULL);
    next_address = to;
    return to >= end;
}

static bool read_piece_beside(size_t size_bytes)
{
    large_lock();
    bool is_last = read_piece(size_bytes);
    large_unlock();
    return is_last;
}

/* A pass has ended; another one may begin. */
static enum trawl_progress begin_pass(void)
{
    bool is_tested = options_now()->concurrent == CONCURRENT_ALWAYS && passes == 1;
    bool gains = visited_bytes <= visited_before / 4 * 3 && passes < PASSES_MAX && !is_tested;
    bool is_first = phase == PHASE_READ;
    bool is_enough = visited_bytes <= DIRTY_BYTES_ENOUGH && !is_tested;
    visited_before = visited_bytes;
    if (phase == PHASE_READ)
        read_once_bytes = pointed->scanned_bytes;
    phase = PHASE_CLEAN;
    turn_regions();
    next_address = heap_layout.slots_start;
    visited_bytes = 0;
    passes++;
    looks_everywhere = !is_first && !is_enough && !gains;
    if (looks_everywhere)
        visited_before = SIZE_MAX; /* the next pass is of another kind */
    return is_first ? TRAWL_ON : is_enough ? TRAWL_DONE : gains ? TRAWL_ON : TRAWL_BEHIND;
}

enum trawl_progress trawl_step(size_t size_bytes)
{
    size_bytes = round_up(size_bytes, UNIT_BYTES);
    if (is_forbidden)
        return TRAWL_DONE;
    if (phase == PHASE_UNITS) {
        if (find_units())
            phase = PHASE_READ;
        return TRAWL_ON;
    }
    if (!read_piece_beside(phase == PHASE_CLEAN ? size_bytes * CLEAN_FACTOR : size_bytes))
        return TRAWL_ON;
    return begin_pass();
}

/* A piece all of which was written, full of pointers to everywhere, takes hundreds of times as long as one that was not. */
static void adapt_stopped_piece(uint64_t took_ns, uint64_t time_ns)
{
    if (took_ns > time_ns / LOOKS_MIN && stopped_bytes > STOPPED_BYTES_MIN)
        stopped_bytes /= 2;
    else if (took_ns < time_ns / LOOKS_MAX && stopped_bytes < STOPPED_BYTES_MAX)
        stopped_bytes *= 2;
}

enum trawl_progress trawl_step_stopped(uint64_t time_ns)
{
    uint64_t now_ns = os_clock_ns();
    uint64_t end_ns = now_ns + time_ns;
    do {
        uint64_t start_ns = now_ns;
        if (is_forbidden)
            return TRAWL_DONE;
        if (read_piece(stopped_bytes))
            return begin_pass();
        now_ns = os_clock_ns();
        adapt_stopped_piece(now_ns - start_ns, time_ns);
    } while (now_ns < end_ns);
    return TRAWL_ON;
}

void trawl_finish(void)
{
    os_tracking_dirty_quick(heap_layout.slots_start, heap_end(), read_pages, NULL);
    pointed->reread_bytes = pointed->scanned_bytes - read_once_bytes;
}

void trawl_end(void)
{
    large_copy_only(false);
    os_tracking_leave(heap_layout.slots_start, heap_end());
    os_tracking_stop();
}

bool trawl_is_complete(void)
{
    return !is_forbidden;
}

void trawl_forget(void)
{
    large_copy_only(false);
    os_tracking_forget();
}

void trawl_forbid(void)
{
    if (is_forbidden)
        return;
    is_forbidden = true;
    large_lock();
    large_unlock();
}
