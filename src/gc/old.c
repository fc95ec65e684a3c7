/*
 * gc/old: marks from all old blocks, for a cycle of young ones in one stop.
 *
 * Nothing says which of them were written since the last cycle: in a small heap protecting pages, and the faults of a program that
 * goes on writing, cost more than reading. So all are read, but in the order of their addresses, and what they mostly lead to are
 * spans without young blocks, which the table of units dismisses: a fifth of what marking them takes.
 *
 * Uses os, heap. Locks: none of its own.
 */
#include "gc/old.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "base/invariant.h"
#include "gc/crew.h"
#include "gc/mark_find.h"
#include "gc/present.h"
#include "gc/white_lanes.h"
#include "heap/span.h"
#include "os/match.h"

#include <string.h>

enum {
    PIECE_BYTES = 4096,
    PIECE_ITEMS = PIECE_BYTES / 4, /* a piece may lead to */
    DRAIN_ITEMS = 1024,
};

/* The list has room. Most addresses lead to old blocks, whose units have no entry unless there are young ones as well. */
static ALWAYS_INLINE void list_young(struct worklist *list, const struct mark_view *view,
                                     const char *place, uint32_t lanes)
{
    for (; lanes != 0; lanes &= lanes - 1) {
        uint64_t offset = offset_at(view, place + 4 * (size_t)bit_lowest(lanes) - 4);
        if (offset < view->heap_bytes && view->units[offset >> UNIT_SHIFT] != 0)
            list->items[list->count++].word = offset;
    }
}

static void read_piece(struct marker *marker, const char *start, const char *end, uint32_t wanted)
{
    const struct mark_view view = marker->view;
    struct worklist list = marker->list;
    for (const char *place = start; place < end; place += CACHE_LINE_BYTES, wanted = ~(uint32_t)0)
        list_young(&list, &view, place, lanes_of(&view, place, (size_t)(end - place)) & wanted);
    marker->list.count = list.count;
}

/* Blocks beside each other, or parts of one: words that lie across a border are taken for words, too. */
static void read_run(struct marker *marker, uintptr_t start, uintptr_t end)
{
    uint32_t wanted = ~(uint32_t)1; /* the first lane is nobody's upper half */
    marker->scanned_bytes += end - start;
    for (uintptr_t piece_end; start < end; start = piece_end, wanted = ~(uint32_t)0) {
        piece_end = end - start > PIECE_BYTES ? start + PIECE_BYTES : end;
        if (marker->list.count > DRAIN_ITEMS)
            crew_drain(marker, crew_size_stopped(), NULL);
        read_piece(marker, (const char *)start, (const char *)piece_end, wanted);
    }
}

static void read_present(struct marker *marker, uintptr_t start, uintptr_t end)
{
    for (uintptr_t stretch_end; present_next(&start, end, &stretch_end); start = stretch_end)
        read_run(marker, start, stretch_end);
}

/* Those of up to sixteen slots that hold old blocks, a bit each. */
static uint32_t olds_of(const uint8_t *states, size_t count, uint8_t young)
{
    white_lanes now = {0};
    if (LIKELY(count >= LANES))
        now = lanes_load(states);
    else
        memcpy(&now, states, count);
    white_lanes allocated = (white_lanes)((now & (uint8_t)KIND_MASK) == (uint8_t)SLOT_ALLOCATED);
    white_lanes old = allocated & ~lanes_born(now, young);
    uint8_t bytes[LANES];
    memcpy(bytes, &old, sizeof bytes);
    return os_bytes_with_16(bytes, UINT8_MAX);
}

static void read_slots(struct marker *marker, const struct span *span, uint8_t young)
{
    for (size_t i = 0; i < span->slot_count; i += LANES) {
        uint32_t olds = olds_of(span->states + i, span->slot_count - i, young);
        while (olds != 0) {
            uint32_t first = bit_lowest(olds);
            uint32_t count = bit_lowest(~(olds >> first));
            uintptr_t start = span_slot(span, i + first);
            uintptr_t end = start + count * span->slot_bytes;
            if (span->slot_bytes < PRESENT_BYTES_MIN)
                read_run(marker, start, end);
            else
                read_present(marker, start, end);
            olds &= ~((((uint32_t)1 << count) - 1) << first);
        }
    }
}

static void read_large(struct marker *marker, const struct span *span, uint8_t young)
{
    uint8_t state =
        slot_state_get((const uint8_t *)&heap_layout.units[span->first_unit].large_state);
    if (slot_kind(state) == SLOT_ALLOCATED && slot_birth(state) != slot_birth(young))
        read_present(marker, span->start, span->start + span->slot_bytes);
}

void old_mark(struct marker *marker, uint32_t young)
{
    uint8_t state = slot_state_of(SLOT_FRESH, young);
    INVARIANT(marker->list.limit > DRAIN_ITEMS + PIECE_ITEMS);
    for (struct span *span = span_from(0); span != NULL;
         span = span_from(span->first_unit + span->unit_count)) {
        if (span_is_large(span))
            read_large(marker, span, state);
        else
            read_slots(marker, span, state);
    }
    crew_drain(marker, crew_size_stopped(), NULL);
}
