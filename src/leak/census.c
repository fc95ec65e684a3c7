/*
 * leak/census: memory of a classification: a byte and a number for each slot of the heap.
 *
 * Uses os, base, heap, gc/area. Locks: none; the heap does not change meanwhile.
 */
#include "leak/census.h"

#include "base/image.h"
#include "gc/area.h"
#include "gc/mark_find.h"

#include <errno.h>
#include <string.h>

struct census census;

static struct area marks_area = {.is_random = true};
static struct area numbers_area = {.is_random = true}; /* touched only where blocks are lost */
static struct area units_area = {.is_random = true};

enum { TWO_LINES = 2 * CACHE_LINE_BYTES };

/* Of a block of each class, as gc/mark.h has it; the last one is that of large blocks. */
static struct mark_class classes[WHITE_UNIT_LARGE + 1];

static void start_classes(void)
{
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        uint32_t grains = class_slot_bytes[i] / MARK_GRAIN_BYTES;
        classes[i + 1].slot_bytes = class_slot_bytes[i];
        classes[i + 1].reciprocal = (((uint32_t)1 << MARK_RECIPROCAL_SHIFT) + grains - 1) / grains;
        classes[i + 1].last_byte = (class_slot_bytes[i] < TWO_LINES ? class_slot_bytes[i] : TWO_LINES) - 1;
    }
}

/* A slot's mark, by its state. */
static uint8_t mark_of(uint8_t state)
{
    uint8_t leaf = slot_kind(state) == SLOT_LEAF ? MARK_LEAF : 0;
    return slot_is_allocated(state) ? MARK_BLOCK | LEAK_UNSEEN | leaf : LEAK_NONE;
}

static void describe(const struct span *span, size_t place, uint32_t class_number)
{
    uint64_t *unit = (uint64_t *)units_area.start + span->first_unit;
    uint64_t entry = (uint64_t)(uintptr_t)(census.marks + place) | (uint64_t)class_number << WHITE_UNIT_CLASS_SHIFT;
    uint64_t back = class_number == WHITE_UNIT_LARGE ? 0 : (uint64_t)1 << WHITE_UNIT_BACK_SHIFT;
    for (uint64_t i = 0; i < span->unit_count; i++)
        unit[i] = entry + i * back;
}

/* What lies behind the last slot is none. Returns how many blocks there are. */
static size_t start_span(const struct span *span, size_t place)
{
    uint8_t *marks = census.marks + place;
    size_t blocks = 0;
    for (uint32_t i = 0; i < span->slot_count; i++) {
        marks[i] = mark_of(span->states[i]);
        blocks += slot_is_allocated(span->states[i]);
    }
    marks[span->slot_count] = LEAK_NONE;
    describe(span, place, span->class_index + 1u);
    return blocks;
}

static size_t start_large(const struct span *span, size_t place)
{
    uint8_t state = atomic_load_explicit(&heap_layout.units[span->first_unit].large_state, memory_order_relaxed);
    census.marks[place] = mark_of(state);
    describe(span, place, WHITE_UNIT_LARGE);
    return slot_is_allocated(state);
}

/* How many places a span takes. */
static size_t places_of(const struct span *span)
{
    return span_is_large(span) ? 1 : span->slot_count + 1u;
}

static struct span *next_of(const struct span *span)
{
    return span_from(span->first_unit + span->unit_count);
}

static int make_room(size_t heap_bytes)
{
    size_t places = MARK_LANES;
    for (struct span *span = span_from(0); span != NULL; span = next_of(span))
        places += places_of(span);
    size_t units_bytes = ((heap_bytes >> UNIT_SHIFT) + 1) * sizeof *census.view.units;
    if (area_need(&marks_area, places) != 0 || area_need(&numbers_area, places * sizeof *census.numbers) != 0 ||
        area_need(&units_area, units_bytes) != 0)
        return -ENOMEM;
    memset(units_area.start, 0, units_bytes);
    return 0;
}

int census_start(const struct classify_source *source)
{
    size_t heap_bytes = atomic_load_explicit(&heap_layout.limit_bytes, memory_order_relaxed);
    if (make_room(heap_bytes) != 0)
        return -ENOMEM;
    start_classes();
    bool slots_fill = class_rule.bias != 0;
    struct os_match match = os_match_range(heap_layout.slots_start, heap_layout.slots_start + heap_bytes);
    census = (struct census){
        .view = {
            .match = match,
            .wide = os_match_widen(match),
            .heap_start = heap_layout.slots_start,
            .heap_bytes = heap_bytes + slots_fill, /* the last block may end there */
            .units = (const uint64_t *)units_area.start,
            .classes = classes,
        },
        .match = match,
        .heap_start = heap_layout.slots_start,
        .heap_bytes = heap_bytes,
        .marks = (uint8_t *)marks_area.start,
        .numbers = (uint32_t *)numbers_area.start,
        .slots_fill = slots_fill,
        .source = source,
    };
    size_t place = 0;
    for (struct span *span = span_from(0); span != NULL; place += places_of(span), span = next_of(span))
        census.blocks += span_is_large(span) ? start_large(span, place) : start_span(span, place);
    census.places = place;
    return 0;
}

void census_end(void)
{
    area_trim(&marks_area, 0);
    area_trim(&numbers_area, 0);
    area_trim(&units_area, 0);
}

/* ---- words ---- */

bool census_next_word(uintptr_t start, size_t size_bytes, size_t *next, uintptr_t *word_out)
{
    const struct os_match match = census.match;
    size_t at = *next;
    while (at + sizeof(uintptr_t) <= size_bytes) {
        const char *place = (const char *)start + at;
        /* The upper halves of the next sixteen words. */
        if (at + 4 + 64 <= size_bytes && os_match_64(place + 4, match) == 0) {
            at += 64;
            continue;
        }
        uint32_t upper;
        memcpy(&upper, place + 4, sizeof upper);
        at += 4;
        if (LIKELY((upper & match.mask) != match.value))
            continue;
        uintptr_t word;
        memcpy(&word, place, sizeof word);
        word &= CENSUS_ADDRESS_MASK;
        if (word - census.heap_start <= census.heap_bytes) {
            *next = at;
            *word_out = word;
            return true;
        }
    }
    *next = size_bytes;
    return false;
}

static void scan_part(uintptr_t start, uintptr_t end, void (*meet)(uintptr_t word, void *context), void *context)
{
    size_t next = 0;
    uintptr_t word;
    while (census_next_word(start, end - start, &next, &word))
        meet(word, context);
}

/* Words that say how far away another block is. */
COLD static void scan_distances(const struct cell *cell, uintptr_t start, uintptr_t end,
                                void (*meet)(uintptr_t word, void *context), void *context)
{
    for (; start + sizeof(uintptr_t) <= end; start += sizeof(uintptr_t)) {
        struct cell other;
        uintptr_t address = cell->start + *(const uintptr_t *)start;
        if (address % BLOCK_ALIGNMENT == 0 && address - census.heap_start < census.heap_bytes && address != cell->start &&
            census_find(address, &other) && other.start == address)
            meet(address, context);
    }
}

static void scan_readable(const struct cell *cell, uintptr_t start, uintptr_t end,
                          void (*meet)(uintptr_t word, void *context), void *context)
{
    scan_part(start, end, meet, context);
    if (UNLIKELY(census.distances))
        scan_distances(cell, (start + 7) & ~(uintptr_t)7, end, meet, context);
}

void census_scan(const struct cell *cell, void (*meet)(uintptr_t word, void *context), void *context)
{
    uintptr_t start = cell->start;
    uintptr_t end = start + cell->size_bytes;
    for (size_t i = 0; UNLIKELY(i < census.unreadable_count) && start < end; i++) {
        struct roots_part part = census.unreadable[i];
        if (part.end <= start || part.start >= end)
            continue;
        if (part.start > start)
            scan_readable(cell, start, part.start, meet, context);
        start = part.end;
    }
    if (start < end)
        scan_readable(cell, start, end, meet, context);
}
