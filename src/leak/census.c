/*
 * leak/census: memory of a classification: a byte and a number for each slot of the heap.
 *
 * Uses os, base, heap, gc/area. Locks: none; the heap does not change meanwhile.
 */
#include "leak/census.h"

#include "base/image.h"
#include "gc/area.h"

#include <errno.h>
#include <string.h>

struct census census;

static struct area marks_area;
static struct area numbers_area; /* touched only where blocks are lost */

static void start_span(const struct span *span)
{
    uint8_t *marks = census.marks + ((uintptr_t)span->states - census.metadata_start);
    for (uint32_t i = 0; i < span->slot_count; i++) {
        uint8_t state = slot_state_get(&span->states[i]);
        bool is_block = slot_is_allocated(state);
        marks[i] = !is_block ? LEAK_NONE : slot_kind(state) == SLOT_LEAF ? LEAK_UNSEEN | MARK_LEAF : LEAK_UNSEEN;
        census.blocks += is_block;
    }
    marks[span->slot_count] = LEAK_NONE;
}

static bool is_large(const struct span *span)
{
    return heap_layout.units[span->first_unit].kind == UNIT_LARGE;
}

static void start_large(const struct span *span)
{
    uint8_t state = atomic_load_explicit(&heap_layout.units[span->first_unit].large_state, memory_order_relaxed);
    bool is_block = slot_is_allocated(state);
    census.marks[(uintptr_t)span - census.metadata_start] =
        !is_block ? LEAK_NONE : slot_kind(state) == SLOT_LEAF ? LEAK_UNSEEN | MARK_LEAF : LEAK_UNSEEN;
    census.blocks += is_block;
}

int census_start(const struct classify_source *source)
{
    size_t used_bytes = atomic_load_explicit(&image_now->metadata_used_bytes, memory_order_relaxed) + 1;
    if (area_need(&marks_area, used_bytes) != 0 || area_need(&numbers_area, used_bytes * sizeof *census.numbers) != 0)
        return -ENOMEM;
    size_t heap_bytes = atomic_load_explicit(&heap_layout.limit_bytes, memory_order_relaxed);
    census = (struct census){
        .match = os_match_range(heap_layout.slots_start, heap_layout.slots_start + heap_bytes),
        .heap_start = heap_layout.slots_start,
        .heap_bytes = heap_bytes,
        .metadata_start = image_now->metadata_start,
        .marks = (uint8_t *)marks_area.start,
        .numbers = (uint32_t *)numbers_area.start,
        .slots_fill = class_rule.bias != 0,
        .source = source,
    };
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count)) {
        if (is_large(span))
            start_large(span);
        else
            start_span(span);
    }
    return 0;
}

void census_end(void)
{
    area_trim(&marks_area, 0);
    area_trim(&numbers_area, 0);
}

void census_each(void (*visit)(const struct cell *cell, void *context), void *context)
{
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count)) {
        bool one = is_large(span);
        struct cell cell = {
            .place = (one ? (uintptr_t)span : (uintptr_t)span->states) - census.metadata_start,
            .start = span->start,
            .size_bytes = span->slot_bytes,
            .span = span,
        };
        for (uint32_t i = 0; i < (one ? 1 : span->slot_count); i++, cell.place++, cell.start += cell.size_bytes)
            if (census.marks[cell.place] != LEAK_NONE)
                visit(&cell, context);
    }
}

static size_t index_of(const struct cell *cell)
{
    uintptr_t place = census.metadata_start + cell->place;
    return place == (uintptr_t)cell->span ? 0 : place - (uintptr_t)cell->span->states;
}

struct block_record census_record(const struct cell *cell)
{
    const struct span *span = cell->span;
    const struct block_record *records = __atomic_load_n(&span->columns[COLUMN_STACK], __ATOMIC_ACQUIRE);
    return records != NULL ? records[index_of(cell)] : (struct block_record){0};
}

uint32_t census_type(const struct cell *cell)
{
    const uint32_t *types = __atomic_load_n(&cell->span->columns[COLUMN_TYPE], __ATOMIC_ACQUIRE);
    return types != NULL ? types[index_of(cell)] : 0;
}

uint32_t census_birth(const struct cell *cell)
{
    if (is_large(cell->span))
        return slot_birth(atomic_load_explicit(&heap_layout.units[cell->span->first_unit].large_state, memory_order_relaxed));
    return slot_birth(slot_state_get((const uint8_t *)(census.metadata_start + cell->place)));
}

bool census_size(const struct cell *cell, const struct block_record *record, size_t *size_bytes_out)
{
    bool is_known =
        record_is_set(record) && record->unused_bytes != UINT16_MAX && record->unused_bytes < cell->size_bytes;
    *size_bytes_out = is_known ? cell->size_bytes - record->unused_bytes : cell->size_bytes;
    return is_known;
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
