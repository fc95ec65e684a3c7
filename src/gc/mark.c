/*
 * gc/mark: finds what can be reached.
 *
 * A word that is found goes to the worklist. Taken from there it leads through the unit table to its white byte; that and
 * the block are prefetched, and looked at sixteen words later (Cher, Hosking, Vitek: "Software prefetching for mark-sweep
 * garbage collection", 2004).
 *
 * Depth first, so that a program's lists and trees are read in the order in which they were made, as long as the worklist is
 * short. Where so much is found that it fills, blocks are in no order anyway: then they turn grey (gc/paged.h), and are scanned in
 * the order of their addresses, page by page (gc/grey.h), as long as there are several in a unit.
 *
 * Uses os, heap. Locks: that of gc/grey.
 */
#include "gc/mark.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "gc/grey.h"
#include "gc/mark_find.h"
#include "gc/paged.h"
#include "gc/present.h"
#include "gc/white.h"

#include <string.h>

enum {
    CHUNK_BYTES = 4096, /* of a large block so much is scanned before what it led to */
    TWO_LINES = 2 * CACHE_LINE_BYTES,
    DENSE = 3, /* grey blocks in a unit: fewer are better followed one after the other */
};

static uint8_t black = BLACK;

static struct mark_class classes[WHITE_UNIT_LARGE + 1];

void mark_start(struct marker *marker, struct work *items, size_t limit)
{
    size_t heap_bytes = white_unit_count << UNIT_SHIFT;
    struct os_match match = os_match_range(heap_layout.slots_start, heap_layout.slots_start + heap_bytes);
    *marker = (struct marker){
        .view.match = match,
        .view.wide = os_match_widen(match),
        .view.heap_start = heap_layout.slots_start,
        .view.heap_bytes = heap_bytes,
        .view.units = white_units,
        .view.place_units = white_place_units,
        .view.places = white_places,
        .view.classes = classes,
        .slots_fill = class_rule.bias != 0,
        .list = {.items = items, .limit = limit},
    };
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        uint32_t grains = class_slot_bytes[i] / MARK_GRAIN_BYTES;
        classes[i + 1].slot_bytes = class_slot_bytes[i];
        classes[i + 1].reciprocal = (((uint32_t)1 << MARK_RECIPROCAL_SHIFT) + grains - 1) / grains;
        classes[i + 1].last_byte = (class_slot_bytes[i] < TWO_LINES ? class_slot_bytes[i] : TWO_LINES) - 1;
    }
    classes[WHITE_UNIT_LARGE].last_byte = TWO_LINES - 1;
}

/* ---- from a word to a block ---- */

/* Any unit, and any word from the list but a rest. Free units lead to the black byte, but a block may end there. */
COLD static struct mark_found find_rare(struct marker *marker, uint64_t word)
{
    const struct mark_view *view = &marker->view;
    uint64_t offset = word & ~WORK_TAGS;
    uint64_t unit = view->units[offset >> UNIT_SHIFT];
    bool may_be_end = marker->slots_fill && (word & WORK_NO_END) == 0;
    struct mark_found found = {&black, 0, classes};
    if (has_slots(unit)) {
        found = find_slot(view, unit, offset);
    } else if (unit != 0) {
        struct white_large *large = white_unit_address(unit);
        found = (struct mark_found){&large->white, large->start, &classes[WHITE_UNIT_LARGE]};
    } else if (may_be_end && offset % UNIT_BYTES == 0 && offset != 0) {
        return find_rare(marker, (offset - 1) | WORK_NO_END);
    }
    if (may_be_end && start_of(found) == view->heap_start + offset)
        found.start |= MARK_EXACT;
    return found;
}

static ALWAYS_INLINE struct mark_found find(struct marker *marker, const struct mark_view *view, uint64_t word)
{
    if (LIKELY(word < view->plain_bytes)) {
        uint64_t unit = view->units[word >> UNIT_SHIFT];
        if (LIKELY(has_slots(unit)))
            return find_slot(view, unit, word);
        if (unit == 0)
            return (struct mark_found){&black, 0, classes};
    }
    return find_rare(marker, word);
}

/* ---- by page ---- */

/* A copy that the compiler sees nobody write to. */
static ALWAYS_INLINE struct mark_view view_of(const struct marker *marker)
{
    struct mark_view view = marker->view;
    view.is_plain = marker->unreadable_count == 0 && !marker->distances && !marker->slots_fill;
    view.whole_bytes = !view.is_plain ? 0 : present_is_known() ? PRESENT_BYTES_MIN - 1 : UNIT_BYTES;
    view.plain_bytes = marker->slots_fill ? 0 : view.heap_bytes;
    return view;
}

static void follow(struct marker *marker, uint64_t word);

/* What is neither black nor to be scanned: a leaf; or a free slot, where a block may end. */
NOINLINE static void resolve_rare(struct marker *marker, struct mark_found found, uint8_t value)
{
    if (value == WHITE_LEAF) {
        __atomic_store_n(found.white, BLACK, __ATOMIC_RELAXED);
        marker->blocks++;
    } else if (value == WHITE_FREE && (found.start & MARK_EXACT) != 0 && start_of(found) != marker->view.heap_start) {
        follow(marker, (start_of(found) - 1 - marker->view.heap_start) | WORK_NO_END);
    }
}

static void turn_grey(struct marker *marker, struct mark_found found)
{
    paged_note(marker, start_of(found) - marker->view.heap_start);
}

/* Where a block may end the white byte has to be asked. */
COLD static void page_rare(struct marker *marker, uint64_t word)
{
    struct mark_found found = find_rare(marker, word);
    uint8_t value = __atomic_load_n(found.white, __ATOMIC_RELAXED);
    if (value == WHITE)
        turn_grey(marker, found);
    else if (value != BLACK && value != GREY)
        resolve_rare(marker, found, value);
}

/* ---- words that were found ---- */

/* To the list, or if that is full what it leads to turns grey. */
NOINLINE static void follow(struct marker *marker, uint64_t word)
{
    if (!marker->by_page && worklist_push(&marker->list, word))
        return;
    marker->by_page = true;
    if (LIKELY(!marker->slots_fill))
        paged_put(marker, word & ~WORK_TAGS);
    else
        page_rare(marker, word);
}

/* Also as one past the end: any word in a root, and one in a block that is the heap's end. */
static ALWAYS_INLINE void follow_word(struct marker *marker, const char *place, bool is_root)
{
    uintptr_t word;
    memcpy(&word, place, sizeof word);
    size_t offset = (word & MARK_ADDRESS_MASK) - marker->view.heap_start;
    if (offset < marker->view.heap_bytes)
        follow(marker, offset);
    if (UNLIKELY(marker->slots_fill) && (is_root || offset == marker->view.heap_bytes) &&
        offset - 1 < marker->view.heap_bytes)
        follow(marker, (offset - 1) | WORK_NO_END);
}

/* `lanes` has a bit for each upper half of a word; lane 0 lies at `place`. */
static ALWAYS_INLINE void follow_lanes(struct marker *marker, const char *place, uint32_t lanes, bool is_root)
{
    for (; lanes != 0; lanes &= lanes - 1)
        follow_word(marker, place + 4 * bit_lowest(lanes) - 4, is_root);
}

/* ---- scanning anything ---- */

/* The words at the multiples of four in [start, end); the first lane is nobody's upper half. */
static ALWAYS_INLINE void scan(struct marker *marker, const char *start, const char *end, uint32_t wanted, bool is_root)
{
    const struct os_match match = marker->view.match;
    const char *place = start;
    uint32_t first = ~(uint32_t)1;
    for (; end - place >= 64; place += 64, first = ~(uint32_t)0)
        follow_lanes(marker, place, os_match_64(place, match) & wanted & first, is_root);
    for (; end - place >= 16; place += 16, first = ~(uint32_t)0)
        follow_lanes(marker, place, os_match_16(place, match) & wanted & first, is_root);
    for (; end - place >= 4; place += 4, first = ~(uint32_t)0) {
        uint32_t half;
        memcpy(&half, place, sizeof half);
        if ((half & match.mask) == match.value && first != ~(uint32_t)1)
            follow_word(marker, place - 4, is_root);
    }
}

/* Blocks that start as far from this one's start as one of its words says. */
COLD static void scan_distances(struct marker *marker, uintptr_t from, uintptr_t end)
{
    size_t start = block_at(&marker->view, from - marker->view.heap_start);
    for (uintptr_t place = round_up(from, sizeof place); end - place >= sizeof place && place < end; place += sizeof place) {
        uintptr_t distance;
        memcpy(&distance, (const void *)place, sizeof distance);
        size_t other = start + distance;
        if (distance % BLOCK_ALIGNMENT == 0 && other < marker->view.heap_bytes && other != start &&
            block_at(&marker->view, other) == other)
            follow(marker, other | WORK_NO_END);
    }
}

static void scan_some(struct marker *marker, uintptr_t start, uintptr_t end)
{
    if (UNLIKELY(marker->distances))
        scan_distances(marker, start, end);
    scan(marker, (const char *)start, (const char *)end, ~(uint32_t)0, false);
}

/* What the program has made unreadable is left out: the roots hold a copy of it. */
static void scan_readable(struct marker *marker, uintptr_t start, uintptr_t end)
{
    for (size_t i = 0; i < marker->unreadable_count && start < end; i++) {
        struct roots_part part = marker->unreadable[i];
        if (part.end <= start || part.start >= end)
            continue;
        if (part.start > start)
            scan_some(marker, start, part.start);
        start = part.end;
    }
    if (start < end)
        scan_some(marker, start, end);
}

/* What is not there points nowhere. */
static void scan_present(struct marker *marker, uintptr_t start, uintptr_t end)
{
    for (uintptr_t stretch_end; present_next(&start, end, &stretch_end); start = stretch_end)
        scan_readable(marker, start, stretch_end);
}

/* A chunk at a time, so that the list holds what one chunk led to and not the whole block's, if it has room for the rest. */
NOINLINE static void scan_large(struct marker *marker, uintptr_t start)
{
    uint64_t unit = marker->view.units[(start - marker->view.heap_start) >> UNIT_SHIFT];
    const struct white_large *large = white_unit_address(unit);
    uintptr_t end = large->start + large->size_bytes;
    /* A word may lie across the border. */
    if (end - start > CHUNK_BYTES &&
        worklist_push(&marker->list, (start + CHUNK_BYTES - 4 - marker->view.heap_start) | WORK_REST))
        end = start + CHUNK_BYTES;
    marker->scanned_bytes += end - start;
    scan_present(marker, start, end);
}

/* ---- scanning slots ---- */

/* To the list, which has room for them all and one more. */
static ALWAYS_INLINE void list_lanes(struct marker *marker, const struct mark_view *view, const char *place, uint32_t lanes)
{
    struct work *items = marker->list.items;
    size_t count = marker->list.count;
    for (; lanes != 0; lanes &= lanes - 1) {
        uint64_t offset = offset_at(view, place + 4 * (size_t)bit_lowest(lanes) - 4);
        items[count].word = offset;
        count += offset < view->heap_bytes;
    }
    marker->list.count = count;
}

static ALWAYS_INLINE void page_lanes(struct marker *marker, const struct mark_view *view, const char *place, uint32_t lanes)
{
    uint32_t count = marker->spotted_count;
    for (; lanes != 0; lanes &= lanes - 1) {
        uint64_t offset = offset_at(view, place + 4 * (size_t)bit_lowest(lanes) - 4);
        __builtin_prefetch(&view->place_units[offset >> UNIT_SHIFT]);
        marker->spotted[count] = offset;
        count += offset < view->heap_bytes;
    }
    marker->spotted_count = count;
    paged_make_room(marker);
}

static ALWAYS_INLINE void scan_slot(struct marker *marker, const struct mark_view *view, uintptr_t start, size_t size_bytes)
{
    const char *place = (const char *)start;
    const char *end = place + size_bytes;
    uint32_t wanted = ~(uint32_t)1;
    for (; place < end; place += 64, wanted = ~(uint32_t)0) {
        uint32_t lanes = lanes_of(view, place, (size_t)(end - place)) & wanted;
        if (LIKELY(!marker->by_page && marker->list.limit - marker->list.count > MARK_PIECE_WORDS)) {
            list_lanes(marker, view, place, lanes);
        } else {
            marker->by_page = true;
            page_lanes(marker, view, place, lanes);
        }
    }
}

/* A slot that may have pages without anything, or parts that can't be read. */
NOINLINE static void scan_large_slot(struct marker *marker, const struct mark_view *view, uintptr_t start, uintptr_t end)
{
    if (!view->is_plain)
        return scan_readable(marker, start, end);
    for (uintptr_t stretch_end; present_next(&start, end, &stretch_end); start = stretch_end)
        scan_slot(marker, view, start, stretch_end - start);
}

static ALWAYS_INLINE void scan_found(struct marker *marker, const struct mark_view *view, struct mark_found found)
{
    size_t size_bytes = found.class->slot_bytes;
    marker->scanned_bytes += size_bytes;
    if (LIKELY(size_bytes - 1 < view->whole_bytes))
        scan_slot(marker, view, found.start, size_bytes);
    else if (size_bytes != 0)
        scan_large_slot(marker, view, start_of(found), start_of(found) + size_bytes);
    else
        scan_large(marker, start_of(found));
}

/* ---- depth first ---- */

/* The white byte should be in the cache by now. Of two markers that find it white at once both scan the block. */
static ALWAYS_INLINE void resolve(struct marker *marker, const struct mark_view *view, struct mark_found found)
{
    uint8_t value = __atomic_load_n(found.white, __ATOMIC_RELAXED);
    if (value == BLACK)
        return;
    if (LIKELY((value & (WHITE | GREY)) != 0)) {
        __atomic_store_n(found.white, BLACK, __ATOMIC_RELAXED);
        marker->blocks += value & WHITE;
        scan_found(marker, view, found);
    } else {
        resolve_rare(marker, found, value);
    }
}

/* The block comes to the end of the ring, and if that is full the one at its head is scanned. */
static ALWAYS_INLINE void put_ahead(struct marker *marker, const struct mark_view *view, struct mark_found found)
{
    const char *start = (const char *)found.start;
    __builtin_prefetch(found.white, 1);
    __builtin_prefetch(start);
    __builtin_prefetch(start + found.class->last_byte);
    struct mark_found *place = &marker->ahead[marker->ahead_end % MARK_AHEAD];
    struct mark_found oldest = *place;
    *place = found;
    if (LIKELY(marker->ahead_end++ - marker->ahead_first == MARK_AHEAD)) {
        marker->ahead_first++;
        resolve(marker, view, oldest);
    }
}

static ALWAYS_INLINE void take_ahead(struct marker *marker, const struct mark_view *view)
{
    struct mark_found oldest = marker->ahead[marker->ahead_first++ % MARK_AHEAD];
    resolve(marker, view, oldest);
}

static bool is_idle(const struct marker *marker)
{
    return marker->list.count == 0 && marker->ahead_first == marker->ahead_end;
}

/* Returns false when so many words were not enough. */
static bool work_off_list(struct marker *marker, size_t *left)
{
    const struct mark_view view = view_of(marker);
    for (; !is_idle(marker); --*left) {
        if (*left == 0)
            return false;
        if (marker->list.count == 0) {
            take_ahead(marker, &view);
            continue;
        }
        uint64_t word = worklist_pop(&marker->list);
        if (UNLIKELY((word & WORK_REST) != 0))
            scan_large(marker, view.heap_start + (uintptr_t)(word & ~WORK_TAGS));
        else
            put_ahead(marker, &view, find(marker, &view, word));
    }
    return true;
}

/* ---- what is grey ---- */

/* The slots [first, end) of a span. Returns how many were grey. */
static size_t scan_grey_slots(struct marker *marker, const struct white_span *span, size_t first, size_t end)
{
    const struct mark_view view = view_of(marker);
    const struct mark_class *class = &classes[span->class_index + 1];
    size_t found = 0;
    for (size_t i = round_down(first, WORD_BITS); i < end; i += WORD_BITS) {
        size_t low = first > i ? first - i : 0, high = end - i < WORD_BITS ? end - i : WORD_BITS;
        uint64_t greys = paged_take_greys(marker, &span->places[i / WORD_BITS], low, high);
        found += bit_count(greys);
        for (; greys != 0; greys &= greys - 1) {
            size_t slot = i + bit_lowest(greys);
            put_ahead(marker, &view, (struct mark_found){span->white + slot, span->start + slot * span->slot_bytes, class});
        }
    }
    return found;
}

NOINLINE static void put_large_ahead(struct marker *marker, struct mark_found found)
{
    const struct mark_view view = view_of(marker);
    put_ahead(marker, &view, found);
}

/* What is grey and starts in this unit. */
static size_t scan_grey_unit(struct marker *marker, size_t unit)
{
    struct white_span span;
    if (!white_span_of(unit, &span))
        return 0;
    if (span.is_large) {
        if (paged_take_greys(marker, span.places, 0, 1) == 0)
            return 0;
        put_large_ahead(marker, (struct mark_found){span.white, span.start, &classes[WHITE_UNIT_LARGE]});
        return 1;
    }
    size_t from = (unit - span.first_unit) << UNIT_SHIFT;
    size_t first = (from + span.slot_bytes - 1) / span.slot_bytes;
    size_t end = (from + UNIT_BYTES + span.slot_bytes - 1) / span.slot_bytes;
    return scan_grey_slots(marker, &span, first, end < span.slot_count ? end : span.slot_count);
}

/* False when so many blocks were not enough. */
static bool work_off_part(struct marker *marker, size_t *left)
{
    struct mark_part *part = &marker->part;
    while (part->next < part->end) {
        size_t unit = grey_next(part->next, part->end);
        part->next = unit + 1;
        if (unit >= part->end)
            break;
        size_t found = scan_grey_unit(marker, unit);
        part->units++;
        part->blocks += found;
        *left -= found < *left ? found : *left;
        if (*left == 0)
            return false;
    }
    return true;
}

/* How the last part was decides how the next one's blocks are followed. */
static bool take_part(struct marker *marker)
{
    struct mark_part *part = &marker->part;
    if (part->units != 0)
        marker->by_page = part->blocks >= DENSE * part->units;
    if (!marker->has_noted && !atomic_load_explicit(&grey_any, memory_order_relaxed))
        return false;
    marker->has_noted = false;
    *part = (struct mark_part){0};
    return grey_take(&part->next, &part->end);
}

/* ---- with others ---- */

void mark_join(struct marker *marker, const struct marker *other, struct work *items, size_t limit)
{
    *marker = (struct marker){
        .view = other->view,
        .slots_fill = other->slots_fill,
        .distances = other->distances,
        .has_noted = true,
        .is_shared = true,
        .list = {.items = items, .limit = limit},
        .unreadable = other->unreadable,
        .unreadable_count = other->unreadable_count,
    };
}

/* The rest of a large block is given as the whole; what was grey and is on its way has no flag any more. */
static void give(struct marker *marker, struct mark_found found, bool is_rest)
{
    uint8_t value = __atomic_load_n(found.white, __ATOMIC_RELAXED);
    if (is_rest)
        __atomic_store_n(found.white, GREY, __ATOMIC_RELAXED);
    if (is_rest || (value & (WHITE | GREY)) != 0) {
        turn_grey(marker, found);
    } else if (value != BLACK) {
        resolve_rare(marker, found, value);
    }
}

void mark_share(struct marker *marker)
{
    struct worklist *list = &marker->list;
    size_t half = list->count / 2, kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        uint64_t word = list->items[i].word;
        if (i >= half || (word & WORK_REST) != 0 || marker->slots_fill)
            list->items[kept++].word = word;
        else
            give(marker, find_rare(marker, word), false);
    }
    list->count = kept;
}

void mark_leave(struct marker *marker)
{
    while (marker->list.count != 0) {
        uint64_t word = worklist_pop(&marker->list);
        give(marker, find_rare(marker, word), (word & WORK_REST) != 0);
    }
    while (marker->ahead_first != marker->ahead_end)
        give(marker, marker->ahead[marker->ahead_first++ % MARK_AHEAD], false);
    paged_flush(marker);
    marker->part.next = marker->part.end; /* units not looked through yet have their flags */
}

/* ---- from outside ---- */

bool mark_drain_some(struct marker *marker, size_t count)
{
    for (;;) {
        if (!work_off_list(marker, &count))
            return false;
        paged_flush(marker);
        if (!is_idle(marker))
            continue;
        if (!work_off_part(marker, &count))
            return false;
        if (is_idle(marker) && !take_part(marker))
            return true;
    }
}

void mark_drain(struct marker *marker)
{
    while (!mark_drain_some(marker, SIZE_MAX))
        ;
}

void mark_inside(struct marker *marker, uintptr_t start, size_t size_bytes)
{
    marker->scanned_bytes += size_bytes;
    scan_readable(marker, start, start + size_bytes);
    mark_drain(marker);
}

void mark_part(struct marker *marker, uintptr_t start, uintptr_t end)
{
    marker->scanned_bytes += end - start;
    scan_some(marker, start, end);
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
    follow_word(marker, (const char *)&value, true);
}
