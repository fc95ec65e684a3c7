/*
 * gc/pointed: which held blocks something points to.
 *
 * Most words are no addresses of the heap, most addresses lead to units without a candidate: a SIMD compare and a bitmap that fits the
 * first-level cache are done with them. In a large heap a look at unit and state is two misses, one after the other: there a bit for each
 * place where a slot may begin says whether a candidate is there. To make these bits is what a small one would lose by them.
 *
 * Uses os, base, heap. Locks: none of its own.
 */
#include "gc/pointed.h"

#include "base/bits.h"
#include "base/bytes.h"
#include "base/compiler.h"
#include "base/image.h"
#include "gc/area.h"
#include "heap/limbo.h"
#include "os/memory.h"
#include "os/pages.h"

#include <errno.h>
#include <string.h>

enum {
    ADDRESS_BITS = 48,             /* those above may be a tag */
    SPARSE_BYTES_MIN = 256 * 1024, /* a block of this size may have pages that were never touched */
    PAGES_BYTES = 4096,
    GRANULE_SHIFT = 4, /* slots begin and end at multiples of that */
    GRANULES_PER_UNIT = UNIT_BYTES >> GRANULE_SHIFT,
};

/* What a unit's two bits in the map say. */
enum unit_has { HAS_NOTHING = 0, HAS_GRANULES = 1, HAS_CANDIDATE = 3 /* somewhere: a large block, or without granules */ };

enum { HAS_BITS = 2, UNITS_PER_WORD = WORD_BITS / HAS_BITS };

#define ADDRESS_MASK (((uintptr_t)1 << ADDRESS_BITS) - 1)

/* Full of addresses in the heap, so it lies where no search looks. */
struct workspace {
    struct os_pages pages;
    _Alignas(8) char buffer[PAGES_BYTES];
};

static struct area units_area;
static struct area granules_area;
static struct area workspace_area;

/* ---- candidates ---- */

static bool is_large_heap(void)
{
    size_t taken = atomic_load_explicit(&image_now->units_taken, memory_order_relaxed);
    return taken >= options_now()->quarantine_stop >> UNIT_SHIFT;
}

/* Threads stand still, and giving up the pages of one that is outgrown takes a while: seldom, therefore. What is not touched is not there. */
static int need_granules(size_t heap_bytes)
{
    size_t size_bytes = (heap_bytes >> GRANULE_SHIFT) / 8;
    return size_bytes <= granules_area.size_bytes ? 0 : area_need(&granules_area, 2 * size_bytes);
}

int pointed_begin(struct pointed *pointed)
{
    size_t heap_bytes = atomic_load_explicit(&heap_layout.limit_bytes, memory_order_relaxed);
    size_t map_bytes = words_for((heap_bytes >> UNIT_SHIFT) * HAS_BITS) * sizeof(uint64_t);
    bool is_fine = is_large_heap();
    if (area_need(&units_area, map_bytes) != 0 || (is_fine && need_granules(heap_bytes) != 0) ||
        area_need(&workspace_area, sizeof(struct workspace)) != 0)
        return -ENOMEM;
    memset(units_area.start, 0, map_bytes);
    *pointed = (struct pointed){
        .match = os_match_range(heap_layout.slots_start, heap_layout.slots_start + heap_bytes),
        .heap_start = heap_layout.slots_start,
        .heap_bytes = heap_bytes,
        .units = (uint64_t *)(void *)units_area.start,
        .granules = is_fine ? (uint64_t *)(void *)granules_area.start : NULL,
        .before = limbo_state_before(),
        .now = limbo_state_now,
    };
    return 0;
}

static void note_units(struct pointed *pointed, const struct span *span, enum unit_has what)
{
    size_t end = span->first_unit + span->unit_count;
    for (size_t unit = span->first_unit; unit < end; unit++)
        pointed->units[unit / UNITS_PER_WORD] |= (uint64_t)what << (unit % UNITS_PER_WORD * HAS_BITS);
}

/* What the granules said of the span before is of another search. Returns false without a candidate. */
static bool note_slots(struct pointed *pointed, const struct span *span)
{
    size_t first_granule = (span->start - pointed->heap_start) >> GRANULE_SHIFT;
    size_t granules = span->slot_bytes >> GRANULE_SHIFT;
    bool is_noted = false;
    for (size_t first = 0; first < span->slot_count; first += WORD_BITS) {
        uint64_t bits = bytes_equal(span->states + first, span->slot_count - first, pointed->before);
        if (bits != 0 && !is_noted)
            memset(pointed->granules + span->first_unit * (GRANULES_PER_UNIT / WORD_BITS), 0,
                   span->unit_count * (GRANULES_PER_UNIT / 8));
        is_noted = is_noted || bits != 0;
        for (; bits != 0; bits &= bits - 1)
            bitmap_fill(pointed->granules, first_granule + (first + bit_lowest(bits)) * granules, granules, true);
    }
    return is_noted;
}

void pointed_note_span(struct pointed *pointed, const struct span *span)
{
    const struct unit *first = &heap_layout.units[span->first_unit];
    if (first->kind == UNIT_LARGE) {
        if (atomic_load_explicit(&first->large_state, memory_order_relaxed) == pointed->before)
            note_units(pointed, span, HAS_CANDIDATE);
    } else if (pointed->granules == NULL) {
        if (memchr(span->states, pointed->before, span->slot_count) != NULL)
            note_units(pointed, span, HAS_CANDIDATE);
    } else if (note_slots(pointed, span)) {
        note_units(pointed, span, HAS_GRANULES);
    }
}

/*
 * What the loop needs of a search, in registers: a state that is written could be anything for the compiler, and everything else
 * would be loaded again.
 */
struct look {
    struct os_match_wide match;
    struct os_match narrow;
    uintptr_t heap_start;
    size_t heap_bytes;
    const uint64_t *units;
    const uint64_t *granules;
    struct pointed *pointed;
};

static ALWAYS_INLINE struct look look_for(struct pointed *pointed)
{
    return (struct look){
        .match = os_match_widen(pointed->match),
        .narrow = pointed->match,
        .heap_start = pointed->heap_start,
        .heap_bytes = pointed->heap_bytes,
        .units = pointed->units,
        .granules = pointed->granules,
        .pointed = pointed,
    };
}

/* The address lies in what was a candidate when the search began. */
NOINLINE static void consider_block(struct pointed *pointed, uintptr_t address)
{
    struct unit *unit = unit_at((void *)address);
    if (LIKELY(unit->kind == UNIT_SPAN)) {
        uint8_t *state = unit->states + unit_slot_position(unit, (void *)address).index;
        if (slot_state_get(state) != pointed->before)
            return;
        slot_state_set(state, pointed->now);
        pointed->found_blocks++;
        return;
    }
    struct span *span = span_at((void *)address);
    if (span == NULL)
        return;
    _Atomic uint8_t *state = &heap_layout.units[span->first_unit].large_state;
    if (atomic_load_explicit(state, memory_order_relaxed) != pointed->before)
        return;
    atomic_store_explicit(state, pointed->now, memory_order_relaxed);
    pointed->found_blocks++;
}

static ALWAYS_INLINE void consider_word(const struct look *look, const char *place)
{
    uintptr_t word;
    memcpy(&word, place, sizeof word);
    size_t offset = (word & ADDRESS_MASK) - look->heap_start;
    if (offset >= look->heap_bytes)
        return;
    size_t unit = offset >> UNIT_SHIFT;
    uint64_t has = look->units[unit / UNITS_PER_WORD] >> (unit % UNITS_PER_WORD * HAS_BITS);
    if ((has & HAS_GRANULES) == 0)
        return;
    if ((has & HAS_CANDIDATE) == HAS_CANDIDATE || bitmap_get(look->granules, offset >> GRANULE_SHIFT))
        consider_block(look->pointed, look->heap_start + offset);
}

/* ---- reading ---- */

/* `lanes` has a bit for each upper half of a word; lane 0 lies at `place`. */
static ALWAYS_INLINE void consider_lanes(const struct look *look, const char *place, uint32_t lanes)
{
    for (; lanes != 0; lanes &= lanes - 1)
        consider_word(look, place + 4 * bit_lowest(lanes) - 4);
}

/* As in gc/mark.c: the first lane is nobody's upper half. */
static ALWAYS_INLINE void scan(const struct look *look, const char *start, const char *end,
                               uint32_t wanted)
{
    const char *place = start;
    uint32_t first = ~(uint32_t)1;
    for (; end - place >= 64; place += 64) {
        uint32_t lanes = os_match_wide_64(place, &look->match) & wanted & first;
        first = ~(uint32_t)0;
        consider_lanes(look, place, lanes);
    }
    for (; end - place >= 16; place += 16) {
        uint32_t lanes = os_match_wide_16(place, &look->match) & wanted & first;
        first = ~(uint32_t)0;
        consider_lanes(look, place, lanes);
    }
    for (; end - place >= 4; place += 4, first = ~(uint32_t)0) {
        uint32_t half;
        memcpy(&half, place, sizeof half);
        if ((half & look->narrow.mask) == look->narrow.value && first != ~(uint32_t)1)
            consider_word(look, place - 4);
    }
}

void pointed_range(struct pointed *pointed, const void *start, const void *end, unsigned step_bytes)
{
    const char *from = start;
    const char *limit = end;
    if (limit - from < 8)
        return;
    pointed->scanned_bytes += (uint64_t)(limit - from);
    const struct look look = look_for(pointed);
    if (step_bytes == 8) {
        scan(&look, from, limit, 0xaaaaaaaa);
        return;
    }
    for (unsigned shift = 0; shift < (step_bytes == 1 ? 4u : 1u); shift++)
        scan(&look, from + shift, limit, ~(uint32_t)0);
}

/* What the program has made unreadable is left out: the roots hold a copy of it. */
static void scan_readable(struct pointed *pointed, uintptr_t start, uintptr_t end)
{
    for (size_t i = 0; i < pointed->unreadable_count && start < end; i++) {
        struct roots_part part = pointed->unreadable[i];
        if (part.end <= start || part.start >= end)
            continue;
        if (part.start > start)
            pointed_range(pointed, (void *)start, (void *)part.start, 4);
        start = part.end;
    }
    if (start < end)
        pointed_range(pointed, (void *)start, (void *)end, 4);
}

/* A word may lie across two runs that touch; runs of pages that hold nothing point nowhere. */
static void scan_sparse(struct pointed *pointed, const struct span *span)
{
    uintptr_t end = span->start + span->slot_bytes;
    struct os_page_run run;
    struct workspace *workspace = (struct workspace *)(void *)workspace_area.start;
    struct os_pages *pages = &workspace->pages;
    int result = os_pages_open(pages, workspace->buffer, sizeof workspace->buffer);
    uintptr_t done = span->start;
    if (result == 0) {
        os_pages_begin_anonymous(pages, span->start, end);
        while ((result = os_pages_next(pages, &run)) == 1) {
            if ((run.what & OS_PAGE_ZERO) == 0)
                scan_readable(pointed, run.start - (run.start > span->start ? 4 : 0), run.end);
            done = run.end;
        }
        os_pages_close(pages);
    }
    if (result < 0)
        scan_readable(pointed, done, end);
}

/* The first slot at or behind `index` whose being allocated is not `value`. Runs are long in most spans: eight at once. */
static size_t end_of_run(const struct span *span, size_t index, bool value)
{
    static const uint64_t allocated = 0x0101010101010101u;
    uint64_t expected = value ? allocated : 0;
    uint64_t states;
    for (; index + sizeof states <= span->slot_count; index += sizeof states) {
        memcpy(&states, span->states + index, sizeof states);
        uint64_t others = (states & allocated) ^ expected;
        if (others != 0)
            return index + bit_lowest(others) / 8;
    }
    while (index < span->slot_count &&
           slot_is_allocated(slot_state_get(&span->states[index])) == value)
        index++;
    return index;
}

/* Where a run ends the processor no longer guesses what is read next. */
static inline void fetch_start(const struct span *span, size_t index)
{
    enum { FETCHED_BYTES = 4 * CACHE_LINE_BYTES };
    const char *slot = (const char *)span_slot(span, index);
    for (size_t i = 0; i < FETCHED_BYTES && i < span->slot_bytes; i += CACHE_LINE_BYTES)
        __builtin_prefetch(slot + i);
}

void pointed_span(struct pointed *pointed, const struct span *span)
{
    const struct unit *first = &heap_layout.units[span->first_unit];
    if (first->kind == UNIT_LARGE) {
        uint8_t state = atomic_load_explicit(&first->large_state, memory_order_relaxed);
        if (state != SLOT_ALLOCATED && slot_kind(state) != SLOT_ALLOCATED)
            return;
        if (span->slot_bytes >= SPARSE_BYTES_MIN)
            scan_sparse(pointed, span);
        else
            scan_readable(pointed, span->start, span->start + span->slot_bytes);
        return;
    }
    for (size_t i = end_of_run(span, 0, false); i < span->slot_count;) {
        size_t end = end_of_run(span, i, true);
        size_t next = end_of_run(span, end, false);
        if (next < span->slot_count)
            fetch_start(span, next);
        scan_readable(pointed, span_slot(span, i), span_slot(span, end));
        i = next;
    }
}
