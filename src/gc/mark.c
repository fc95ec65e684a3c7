/*
 * gc/mark: finds what can be reached.
 *
 * Three places where memory is waited for, and what hides the wait: a word found goes through the unit table to its
 * white byte, which is prefetched and looked at sixteen words later; a block taken from the worklist is prefetched and
 * scanned sixteen blocks later (Cher, Hosking, Vitek: "Software prefetching for mark-sweep garbage collection", 2004).
 *
 * Uses os, heap. Locks: none; all other threads are stopped.
 */
#include "gc/mark.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "gc/white.h"

#include <string.h>

enum {
    ADDRESS_BITS = 48, /* those above may be a tag */
    CHUNK_BYTES = 4096, /* of a larger block so much is scanned before what it led to */
};

#define ADDRESS_MASK (((uintptr_t)1 << ADDRESS_BITS) - 1)

static uint8_t black = BLACK;

void mark_start(struct marker *marker, struct work *items, size_t limit)
{
    size_t heap_bytes = white_unit_count << UNIT_SHIFT;
    *marker = (struct marker){
        .match = os_match_range(heap_layout.slots_start, heap_layout.slots_start + heap_bytes),
        .heap_start = heap_layout.slots_start,
        .heap_bytes = heap_bytes,
        .units = white_units,
        .slots_fill = class_rule.bias != 0,
        .list = {.items = items, .limit = limit},
    };
    for (size_t i = 0; i < MARK_AHEAD; i++)
        marker->pending[i].white = &black;
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        marker->classes[i + 1].slot_bytes = class_slot_bytes[i];
        marker->classes[i + 1].reciprocal = UINT64_MAX / class_slot_bytes[i] + 1; /* as in struct unit */
    }
}

/* ---- from an address to a block ---- */

static void consider_end(struct marker *marker, uintptr_t end);

static void push(struct marker *marker, const struct mark_pending *pending)
{
    if (LIKELY(worklist_push(&marker->list, (struct work){pending->start, pending->size_bytes & ~(size_t)1})))
        return;
    *pending->white = GREY;
    marker->overflowed = true;
}

/* The white byte should be in the cache by now. */
static ALWAYS_INLINE void resolve(struct marker *marker, struct mark_pending pending)
{
    uint8_t value = *pending.white;
    if (LIKELY(value == BLACK))
        return;
    if (LIKELY((value & (WHITE | WHITE_LEAF)) != 0)) {
        *pending.white = BLACK;
        marker->blocks++;
        if (value == WHITE)
            push(marker, &pending);
    } else if (value == WHITE_FREE && (pending.size_bytes & 1) != 0 && marker->slots_fill) {
        consider_end(marker, pending.start);
    }
}

/* The ring is left with the newest; the oldest is looked at. */
static ALWAYS_INLINE void enqueue(struct marker *marker, struct mark_pending pending)
{
    struct mark_pending *place = &marker->pending[marker->next_pending];
    struct mark_pending oldest = *place;
    marker->next_pending = (marker->next_pending + 1) % MARK_AHEAD;
    __builtin_prefetch(pending.white, 1);
    *place = pending;
    resolve(marker, oldest);
}

/* Twice around: what is looked at may put something into the ring, once, behind what is flushed. */
static void flush_pending(struct marker *marker)
{
    for (size_t i = 0; i < 2 * MARK_AHEAD; i++)
        enqueue(marker, (struct mark_pending){&black, 0, 0});
}

/* A large block, also its inside; or free units, where a block may end. */
COLD static void consider_large(struct marker *marker, uint64_t unit, uintptr_t address, bool may_be_end)
{
    struct white_large *large = (struct white_large *)(uintptr_t)(unit >> WHITE_UNIT_SHIFT);
    if (unit != 0)
        enqueue(marker, (struct mark_pending){&large->white, large->start,
                                              large->size_bytes | (large->start == address && may_be_end)});
    else if (may_be_end && marker->slots_fill && address % UNIT_BYTES == 0)
        consider_end(marker, address);
}

/* The address lies in the heap. */
static ALWAYS_INLINE void consider(struct marker *marker, uintptr_t address, bool may_be_end)
{
    size_t unit_index = (address - marker->heap_start) >> UNIT_SHIFT;
    uint64_t unit = marker->units[unit_index];
    size_t class_number = unit & WHITE_UNIT_MASK;
    if (UNLIKELY(class_number - 1 >= CLASS_COUNT)) {
        consider_large(marker, unit, address, may_be_end);
        return;
    }
    size_t first_unit = unit_index - (unit >> WHITE_UNIT_BACK_SHIFT & WHITE_UNIT_MASK);
    uintptr_t start = marker->heap_start + (first_unit << UNIT_SHIFT);
    uint64_t reciprocal = marker->classes[class_number].reciprocal;
    uint64_t slot_bytes = marker->classes[class_number].slot_bytes;
    unsigned __int128 product = (unsigned __int128)(address - start) * reciprocal;
    uint64_t index = (uint64_t)(product >> 64);
    bool is_start = (uint64_t)product < reciprocal;
    enqueue(marker, (struct mark_pending){
                        .white = (uint8_t *)(uintptr_t)(unit >> WHITE_UNIT_SHIFT) + index,
                        .start = start + index * slot_bytes,
                        .size_bytes = slot_bytes | (is_start && may_be_end),
                    });
}

/* A block that ends here. */
NOINLINE static void consider_end(struct marker *marker, uintptr_t end)
{
    if (end - 1 - marker->heap_start < marker->heap_bytes)
        consider(marker, end - 1, false);
}

/* The start of the block that holds the address, which is one in the heap; 0 if none does. */
static uintptr_t start_of(const struct marker *marker, uintptr_t address)
{
    size_t unit_index = (address - marker->heap_start) >> UNIT_SHIFT;
    uint64_t unit = marker->units[unit_index];
    size_t class_number = unit & WHITE_UNIT_MASK;
    if (class_number - 1 >= CLASS_COUNT)
        return unit == 0 ? 0 : ((struct white_large *)(uintptr_t)(unit >> WHITE_UNIT_SHIFT))->start;
    size_t first_unit = unit_index - (unit >> WHITE_UNIT_BACK_SHIFT & WHITE_UNIT_MASK);
    uintptr_t start = marker->heap_start + (first_unit << UNIT_SHIFT);
    return address - (address - start) % marker->classes[class_number].slot_bytes;
}

/* ---- scanning ---- */

static ALWAYS_INLINE void consider_word(struct marker *marker, const char *place, bool is_root)
{
    uintptr_t word;
    memcpy(&word, place, sizeof word);
    word &= ADDRESS_MASK;
    size_t offset = word - marker->heap_start;
    if (offset < marker->heap_bytes)
        consider(marker, word, true);
    if (marker->slots_fill && (is_root || offset == marker->heap_bytes))
        consider_end(marker, word);
}

/* `lanes` has a bit for each upper half of a word; lane 0 lies at `place`. */
static ALWAYS_INLINE void consider_lanes(struct marker *marker, const char *place, uint32_t lanes, bool is_root)
{
    for (; lanes != 0; lanes &= lanes - 1)
        consider_word(marker, place + 4 * bit_lowest(lanes) - 4, is_root);
}

/* The words at the multiples of four in [start, end); the first lane is nobody's upper half. */
static ALWAYS_INLINE void scan(struct marker *marker, const char *start, const char *end, uint32_t wanted, bool is_root)
{
    const char *place = start;
    uint32_t first = ~(uint32_t)1;
    for (; end - place >= 64; place += 64) {
        uint32_t lanes = os_match_64(place, marker->match) & wanted & first;
        first = ~(uint32_t)0;
        consider_lanes(marker, place, lanes, is_root);
    }
    for (; end - place >= 16; place += 16) {
        uint32_t lanes = os_match_16(place, marker->match) & wanted & first;
        first = ~(uint32_t)0;
        consider_lanes(marker, place, lanes, is_root);
    }
    for (; end - place >= 4; place += 4, first = ~(uint32_t)0) {
        uint32_t half;
        memcpy(&half, place, sizeof half);
        if ((half & marker->match.mask) == marker->match.value && first != ~(uint32_t)1)
            consider_word(marker, place - 4, is_root);
    }
}

/* Blocks that start as far from this one's start as one of its words says. */
COLD static void scan_distances(struct marker *marker, uintptr_t from, uintptr_t end)
{
    uintptr_t start = start_of(marker, from);
    for (uintptr_t place = round_up(from, sizeof place); end - place >= sizeof place && place < end; place += sizeof place) {
        uintptr_t distance;
        memcpy(&distance, (const void *)place, sizeof distance);
        uintptr_t other = start + distance;
        if (distance % BLOCK_ALIGNMENT == 0 && other - marker->heap_start < marker->heap_bytes && other != start &&
            start_of(marker, other) == other)
            consider(marker, other, false);
    }
}

static ALWAYS_INLINE void scan_block(struct marker *marker, uintptr_t start, uintptr_t end)
{
    if (UNLIKELY(marker->distances))
        scan_distances(marker, start, end);
    scan(marker, (const char *)start, (const char *)end, ~(uint32_t)0, false);
}

/* What the program has made unreadable is left out: the roots hold a copy of it. */
COLD static void scan_readable(struct marker *marker, uintptr_t start, uintptr_t end)
{
    for (size_t i = 0; i < marker->unreadable_count && start < end; i++) {
        struct roots_part part = marker->unreadable[i];
        if (part.end <= start || part.start >= end)
            continue;
        if (part.start > start)
            scan_block(marker, start, part.start);
        start = part.end;
    }
    if (start < end)
        scan_block(marker, start, end);
}

static ALWAYS_INLINE void scan_work(struct marker *marker, struct work work)
{
    marker->scanned_bytes += work.size_bytes;
    if (UNLIKELY(marker->unreadable_count != 0))
        scan_readable(marker, work.start, work.start + work.size_bytes);
    else
        scan_block(marker, work.start, work.start + work.size_bytes);
}

/* A large block a chunk at a time, so that the list holds what one chunk led to and not the whole block's. */
static ALWAYS_INLINE struct work take_chunk(struct marker *marker)
{
    struct work work = worklist_pop(&marker->list);
    if (UNLIKELY(work.size_bytes > CHUNK_BYTES)) {
        /* A word may lie across the border. */
        worklist_push(&marker->list, (struct work){work.start + CHUNK_BYTES - 4, work.size_bytes - CHUNK_BYTES + 4});
        work.size_bytes = CHUNK_BYTES;
    }
    return work;
}

static ALWAYS_INLINE void prefetch_work(struct work work)
{
    __builtin_prefetch((const void *)work.start);
    __builtin_prefetch((const void *)(work.start + (work.size_bytes < 128 ? work.size_bytes - 1 : 127)));
}

/* Takes a block from the list to the end of the ring, and scans the one at its head. */
static void step(struct marker *marker)
{
    struct work oldest = {0, 0};
    bool is_full = marker->ahead_count == MARK_AHEAD;
    bool have_more = marker->list.count != 0;
    uint32_t head = marker->next_ahead;
    if (is_full || !have_more) {
        oldest = marker->ahead[head];
        marker->next_ahead = (head + 1) % MARK_AHEAD;
        marker->ahead_count--;
    }
    if (have_more) {
        struct work work = take_chunk(marker);
        prefetch_work(work);
        marker->ahead[(marker->next_ahead + marker->ahead_count) % MARK_AHEAD] = work;
        marker->ahead_count++;
    }
    if (oldest.size_bytes != 0)
        scan_work(marker, oldest);
}

static void drain_list(struct marker *marker)
{
    for (;;) {
        while (marker->list.count + marker->ahead_count != 0)
            step(marker);
        flush_pending(marker);
        if (marker->list.count == 0)
            return;
    }
}

/* ---- when the worklist was full ---- */

static void scan_grey(struct marker *marker, const struct white_span *span)
{
    uint8_t *end = span->white + span->slot_count;
    uint8_t *from = span->white;
    while (from < end && (from = memchr(from, GREY, (size_t)(end - from))) != NULL) {
        *from = BLACK;
        uintptr_t start = span->start + (size_t)(from - span->white) * span->slot_bytes;
        if (!worklist_push(&marker->list, (struct work){start, span->slot_bytes})) {
            *from = GREY;
            drain_list(marker);
        }
    }
}

/* Every round leaves at least a full worklist fewer, or none. */
static void find_grey(struct marker *marker)
{
    struct white_span span;
    marker->overflowed = false;
    for (size_t unit = 0; white_span_from(unit, &span); unit = span.first_unit + span.unit_count)
        scan_grey(marker, &span);
    drain_list(marker);
}

/* ---- from outside ---- */

void mark_drain(struct marker *marker)
{
    drain_list(marker);
    while (marker->overflowed)
        find_grey(marker);
}

void mark_inside(struct marker *marker, uintptr_t start, size_t size_bytes)
{
    while (!worklist_push(&marker->list, (struct work){start, size_bytes}))
        drain_list(marker);
    mark_drain(marker);
}

bool mark_drain_some(struct marker *marker, size_t count)
{
    for (; count > 0; count--) {
        if (marker->list.count + marker->ahead_count != 0) {
            step(marker);
            continue;
        }
        flush_pending(marker);
        if (marker->list.count != 0)
            continue;
        if (!marker->overflowed)
            return true;
        find_grey(marker);
    }
    return false;
}

void mark_part(struct marker *marker, uintptr_t start, uintptr_t end)
{
    marker->scanned_bytes += end - start;
    scan_block(marker, start, end);
}

/* The upper halves of the words at multiples of eight are the odd lanes. */
void mark_range(struct marker *marker, const void *start, const void *end, unsigned step_bytes)
{
    const char *from = start;
    const char *limit = end;
    if (limit - from < 8)
        return;
    if (step_bytes == 8) {
        scan(marker, from, limit, 0xaaaaaaaa, true);
        return;
    }
    for (unsigned shift = 0; shift < (step_bytes == 1 ? 4u : 1u); shift++)
        scan(marker, from + shift, limit, ~(uint32_t)0, true);
}

void mark_word(struct marker *marker, uintptr_t value)
{
    consider_word(marker, (const char *)&value, true);
}
