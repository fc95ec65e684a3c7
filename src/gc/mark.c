/*
 * gc/mark: finds what can be reached.
 *
 * Three places where memory is waited for, and what hides the wait: a word found goes through the unit table to its
 * white byte, which is prefetched and looked at sixteen words later; a block taken from the worklist is prefetched and
 * scanned sixteen blocks later (Cher, Hosking, Vitek: "Software prefetching for mark-sweep garbage collection", 2004).
 *
 * Depth first, so that a program's lists and trees are read in the order in which they were made, as long as the worklist is
 * short. Where so much is found that it fills, blocks are in no order anyway: then they turn grey, and are scanned in the order of
 * their addresses, page by page (gc/grey.h), as long as there are several in a unit.
 *
 * Uses os, heap. Locks: that of gc/grey.
 */
#include "gc/mark.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "gc/grey.h"
#include "gc/white.h"

#include <string.h>

enum {
    ADDRESS_BITS = 48, /* those above may be a tag */
    CHUNK_BYTES = 4096, /* of a large block so much is scanned before what it led to */
    DENSE = 3, /* grey blocks in a unit: fewer are better followed one after the other */
    STARVED = 4,
};

#define ADDRESS_MASK (((uintptr_t)1 << ADDRESS_BITS) - 1)

static uint8_t black = BLACK;

static struct mark_class classes[CLASS_COUNT + 1];

static void clear_pending(struct marker *marker)
{
    for (size_t i = 0; i < MARK_AHEAD; i++)
        marker->pending[i].white = &black;
}

void mark_start(struct marker *marker, struct work *items, size_t limit)
{
    size_t heap_bytes = white_unit_count << UNIT_SHIFT;
    *marker = (struct marker){
        .view.match = os_match_range(heap_layout.slots_start, heap_layout.slots_start + heap_bytes),
        .view.heap_start = heap_layout.slots_start,
        .view.heap_bytes = heap_bytes,
        .view.units = white_units,
        .view.classes = classes,
        .slots_fill = class_rule.bias != 0,
        .list = {.items = items, .limit = limit},
    };
    clear_pending(marker);
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        classes[i + 1].slot_bytes = class_slot_bytes[i];
        classes[i + 1].reciprocal = UINT64_MAX / class_slot_bytes[i] + 1;
    }
}

/* ---- from an address to a block ---- */

static void consider_end(struct marker *marker, uintptr_t end);

static ALWAYS_INLINE void turn_grey(struct marker *marker, uint8_t *white, uintptr_t start)
{
    __atomic_store_n(white, GREY, __ATOMIC_RELAXED);
    grey_note((start - marker->view.heap_start) >> UNIT_SHIFT);
    marker->has_noted = true;
}

/* A block that is new: to be scanned now, or with others of its page. */
static ALWAYS_INLINE void add(struct marker *marker, const struct mark_pending *pending)
{
    struct work work = {pending->work.word & ~(uint64_t)1};
    marker->blocks++;
    if (LIKELY(!marker->by_page)) {
        __atomic_store_n(pending->white, BLACK, __ATOMIC_RELAXED);
        if (LIKELY(worklist_push(&marker->list, work)))
            return;
        marker->by_page = true;
    }
    turn_grey(marker, pending->white, work_start(work));
}

/* The white byte should be in the cache by now. Of two markers that find it white at once both scan the block. */
static ALWAYS_INLINE void resolve(struct marker *marker, struct mark_pending pending)
{
    uint8_t value = __atomic_load_n(pending.white, __ATOMIC_RELAXED);
    if (LIKELY(value == BLACK))
        return;
    if (LIKELY(value == WHITE)) {
        add(marker, &pending);
    } else if (value == WHITE_LEAF) {
        __atomic_store_n(pending.white, BLACK, __ATOMIC_RELAXED);
        marker->blocks++;
    } else if (value == WHITE_FREE && (pending.work.word & 1) != 0) {
        consider_end(marker, work_start(pending.work) - 1);
    }
}

/* The ring is left with the newest; the oldest is looked at, which may come here once more. */
static ALWAYS_INLINE void enqueue(struct marker *marker, struct mark_pending pending)
{
    struct mark_pending *place = &marker->pending[marker->next_pending % MARK_AHEAD];
    struct mark_pending oldest = *place;
    marker->next_pending++;
    __builtin_prefetch(pending.white, 1);
    if (UNLIKELY(marker->is_starved))
        __builtin_prefetch((const void *)work_start(pending.work));
    *place = pending;
    resolve(marker, oldest);
}

/* Looks at the oldest that has not been; false if there is none. */
static bool flush_oldest(struct marker *marker)
{
    uint32_t waiting = marker->next_pending - marker->first_pending;
    if (waiting > MARK_AHEAD)
        marker->first_pending = marker->next_pending - MARK_AHEAD;
    if (waiting == 0)
        return false;
    struct mark_pending *place = &marker->pending[marker->first_pending++ % MARK_AHEAD];
    struct mark_pending oldest = *place;
    place->white = &black;
    resolve(marker, oldest);
    return true;
}

/* A large block, also its inside; or free units, where a block may end. */
COLD static void consider_large(struct marker *marker, uint64_t unit, uintptr_t address, bool may_be_end)
{
    struct white_large *large = (struct white_large *)(uintptr_t)(unit >> WHITE_UNIT_SHIFT);
    bool ends = may_be_end && marker->slots_fill;
    if (unit != 0) {
        struct work work = work_of(large->start, WHITE_UNIT_LARGE);
        work.word |= large->start == address && ends;
        enqueue(marker, (struct mark_pending){&large->white, work});
    } else if (ends && address % UNIT_BYTES == 0) {
        consider_end(marker, address);
    }
}

/* The address lies in the heap. */
static ALWAYS_INLINE void consider(struct marker *marker, const struct mark_view *view, uintptr_t address, bool may_be_end)
{
    size_t unit_index = (address - view->heap_start) >> UNIT_SHIFT;
    uint64_t unit = view->units[unit_index];
    size_t class_number = unit & WHITE_UNIT_MASK;
    if (UNLIKELY(class_number - 1 >= CLASS_COUNT)) {
        if (unit != 0 || marker->slots_fill)
            consider_large(marker, unit, address, may_be_end);
        return;
    }
    size_t first_unit = unit_index - (unit >> WHITE_UNIT_BACK_SHIFT & WHITE_UNIT_MASK);
    uintptr_t start = view->heap_start + (first_unit << UNIT_SHIFT);
    uint64_t reciprocal = view->classes[class_number].reciprocal;
    unsigned __int128 product = (unsigned __int128)(address - start) * reciprocal;
    uint64_t index = (uint64_t)(product >> 64);
    struct work work = work_of(start + index * view->classes[class_number].slot_bytes, class_number);
    if (UNLIKELY(marker->slots_fill))
        work.word |= (uint64_t)product < reciprocal && may_be_end;
    enqueue(marker, (struct mark_pending){(uint8_t *)(uintptr_t)(unit >> WHITE_UNIT_SHIFT) + index, work});
}

/* A block that ends here. */
NOINLINE static void consider_end(struct marker *marker, uintptr_t end)
{
    if (end - 1 - marker->view.heap_start < marker->view.heap_bytes)
        consider(marker, &marker->view, end - 1, false);
}

/* The start of the block that holds the address, which is one in the heap; 0 if none does. */
static uintptr_t start_of(const struct marker *marker, uintptr_t address)
{
    const struct mark_view *view = &marker->view;
    size_t unit_index = (address - view->heap_start) >> UNIT_SHIFT;
    uint64_t unit = view->units[unit_index];
    size_t class_number = unit & WHITE_UNIT_MASK;
    if (class_number - 1 >= CLASS_COUNT)
        return unit == 0 ? 0 : ((struct white_large *)(uintptr_t)(unit >> WHITE_UNIT_SHIFT))->start;
    size_t first_unit = unit_index - (unit >> WHITE_UNIT_BACK_SHIFT & WHITE_UNIT_MASK);
    uintptr_t start = view->heap_start + (first_unit << UNIT_SHIFT);
    return address - (address - start) % classes[class_number].slot_bytes;
}

/* ---- scanning ---- */

static ALWAYS_INLINE void consider_word(struct marker *marker, const struct mark_view *view, const char *place, bool is_root)
{
    uintptr_t word;
    memcpy(&word, place, sizeof word);
    word &= ADDRESS_MASK;
    size_t offset = word - view->heap_start;
    if (offset < view->heap_bytes)
        consider(marker, view, word, true);
    if (UNLIKELY(marker->slots_fill) && (is_root || offset == view->heap_bytes))
        consider_end(marker, word);
}

/* `lanes` has a bit for each upper half of a word; lane 0 lies at `place`. */
static ALWAYS_INLINE void consider_lanes(struct marker *marker, const struct mark_view *view, const char *place, uint32_t lanes,
                                         bool is_root)
{
    for (; lanes != 0; lanes &= lanes - 1)
        consider_word(marker, view, place + 4 * bit_lowest(lanes) - 4, is_root);
}

/* The words at the multiples of four in [start, end); the first lane is nobody's upper half. */
static ALWAYS_INLINE void scan(struct marker *marker, const struct mark_view *view, const char *start, const char *end,
                               uint32_t wanted, bool is_root)
{
    const char *place = start;
    uint32_t first = ~(uint32_t)1;
    for (; end - place >= 64; place += 64) {
        uint32_t lanes = os_match_64(place, view->match) & wanted & first;
        first = ~(uint32_t)0;
        consider_lanes(marker, view, place, lanes, is_root);
    }
    for (; end - place >= 16; place += 16) {
        uint32_t lanes = os_match_16(place, view->match) & wanted & first;
        first = ~(uint32_t)0;
        consider_lanes(marker, view, place, lanes, is_root);
    }
    for (; end - place >= 4; place += 4, first = ~(uint32_t)0) {
        uint32_t half;
        memcpy(&half, place, sizeof half);
        if ((half & view->match.mask) == view->match.value && first != ~(uint32_t)1)
            consider_word(marker, view, place - 4, is_root);
    }
}

/* The same for a slot. All lanes of the last piece are looked at in one loop: how long it is is a branch that is hard to foresee. */
static ALWAYS_INLINE void scan_slot(struct marker *marker, const struct mark_view *view, uintptr_t start, size_t size_bytes)
{
    const char *place = (const char *)start;
    uint32_t wanted = ~(uint32_t)1;
    for (; size_bytes >= 64; place += 64, size_bytes -= 64, wanted = ~(uint32_t)0)
        consider_lanes(marker, view, place, os_match_64(place, view->match) & wanted, false);
    uint32_t lanes = 0;
    for (uint32_t done = 0; done < size_bytes; done += 16)
        lanes |= os_match_16(place + done, view->match) << done / 4;
    consider_lanes(marker, view, place, lanes & wanted, false);
}

/* Blocks that start as far from this one's start as one of its words says. */
COLD static void scan_distances(struct marker *marker, uintptr_t from, uintptr_t end)
{
    uintptr_t start = start_of(marker, from);
    for (uintptr_t place = round_up(from, sizeof place); end - place >= sizeof place && place < end; place += sizeof place) {
        uintptr_t distance;
        memcpy(&distance, (const void *)place, sizeof distance);
        uintptr_t other = start + distance;
        if (distance % BLOCK_ALIGNMENT == 0 && other - marker->view.heap_start < marker->view.heap_bytes && other != start &&
            start_of(marker, other) == other)
            consider(marker, &marker->view, other, false);
    }
}

static void scan_part(struct marker *marker, uintptr_t start, uintptr_t end)
{
    if (UNLIKELY(marker->distances))
        scan_distances(marker, start, end);
    scan(marker, &marker->view, (const char *)start, (const char *)end, ~(uint32_t)0, false);
}

/* What the program has made unreadable is left out: the roots hold a copy of it. */
static void scan_readable(struct marker *marker, uintptr_t start, uintptr_t end)
{
    for (size_t i = 0; i < marker->unreadable_count && start < end; i++) {
        struct roots_part part = marker->unreadable[i];
        if (part.end <= start || part.start >= end)
            continue;
        if (part.start > start)
            scan_part(marker, start, part.start);
        start = part.end;
    }
    if (start < end)
        scan_part(marker, start, end);
}

/* A chunk at a time, so that the list holds what one chunk led to and not the whole block's, if it has room for the rest. */
NOINLINE static void scan_large(struct marker *marker, uintptr_t start)
{
    uint64_t unit = marker->view.units[(start - marker->view.heap_start) >> UNIT_SHIFT];
    const struct white_large *large = (const struct white_large *)(uintptr_t)(unit >> WHITE_UNIT_SHIFT);
    uintptr_t end = large->start + large->size_bytes;
    /* A word may lie across the border. */
    if (end - start > CHUNK_BYTES && worklist_push(&marker->list, work_of(start + CHUNK_BYTES - 4, WHITE_UNIT_LARGE)))
        end = start + CHUNK_BYTES;
    marker->scanned_bytes += end - start;
    scan_readable(marker, start, end);
}

static ALWAYS_INLINE void scan_work(struct marker *marker, const struct mark_view *view, struct work work)
{
    uintptr_t start = work_start(work);
    if (UNLIKELY(work_class(work) == WHITE_UNIT_LARGE)) {
        scan_large(marker, start);
        return;
    }
    size_t size_bytes = view->classes[work_class(work)].slot_bytes;
    marker->scanned_bytes += size_bytes;
    if (UNLIKELY(marker->unreadable_count != 0 || marker->distances))
        scan_readable(marker, start, start + size_bytes);
    else
        scan_slot(marker, view, start, size_bytes);
}

static ALWAYS_INLINE void prefetch_work(const struct mark_view *view, struct work work)
{
    uintptr_t start = work_start(work);
    __builtin_prefetch((const void *)start);
    size_t size_bytes = work_class(work) == WHITE_UNIT_LARGE ? CHUNK_BYTES : view->classes[work_class(work)].slot_bytes;
    __builtin_prefetch((const void *)(start + (size_bytes < 128 ? size_bytes - 1 : 127)));
}

/* The block comes to the end of the ring, and if that is full the one at its head is scanned. */
static ALWAYS_INLINE void put_ahead(struct marker *marker, const struct mark_view *view, struct work work)
{
    prefetch_work(view, work);
    struct work *place = &marker->ahead[(marker->next_ahead + marker->ahead_count) % MARK_AHEAD];
    if (marker->ahead_count < MARK_AHEAD) {
        *place = work;
        marker->ahead_count++;
        return;
    }
    struct work oldest = *place;
    *place = work;
    marker->next_ahead++;
    scan_work(marker, view, oldest);
}

static ALWAYS_INLINE void take_ahead(struct marker *marker, const struct mark_view *view)
{
    struct work oldest = marker->ahead[marker->next_ahead++ % MARK_AHEAD];
    marker->ahead_count--;
    marker->is_starved = marker->ahead_count < STARVED;
    scan_work(marker, view, oldest);
    marker->is_starved = false;
}

/* Returns false when so many steps were not enough. */
static bool work_off_list(struct marker *marker, size_t *left)
{
    const struct mark_view view = marker->view;
    for (; marker->list.count + marker->ahead_count != 0; --*left) {
        if (*left == 0)
            return false;
        if (marker->list.count != 0)
            put_ahead(marker, &view, worklist_pop(&marker->list));
        else
            take_ahead(marker, &view);
    }
    return true;
}

/* ---- what is grey ---- */

/* Which of 64 slots are grey; they are grey no longer. */
static uint64_t take_greys(uint8_t *white, size_t count)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < WORD_BITS; i += 16)
        bits |= (uint64_t)os_bytes_equal_16(white + i, GREY) << i;
    if (count < WORD_BITS)
        bits &= word_mask(0, (uint32_t)count);
    for (uint64_t left = bits; left != 0; left &= left - 1)
        __atomic_store_n(&white[bit_lowest(left)], BLACK, __ATOMIC_RELAXED);
    return bits;
}

/* The slots [first, end) of a span. Returns how many were grey. */
static size_t scan_grey_slots(struct marker *marker, const struct white_span *span, size_t first, size_t end)
{
    const struct mark_view view = marker->view;
    size_t found = 0;
    for (size_t i = first; i < end; i += WORD_BITS) {
        uint64_t greys = take_greys(span->white + i, end - i);
        found += bit_count(greys);
        for (; greys != 0; greys &= greys - 1)
            put_ahead(marker, &view,
                      work_of(span->start + (i + bit_lowest(greys)) * span->slot_bytes, span->class_index + 1u));
    }
    return found;
}

/* What is grey and starts in this unit. */
static size_t scan_grey_unit(struct marker *marker, size_t unit)
{
    struct white_span span;
    if (!white_span_of(unit, &span))
        return 0;
    if (span.is_large) {
        if (__atomic_load_n(span.white, __ATOMIC_RELAXED) != GREY)
            return 0;
        __atomic_store_n(span.white, BLACK, __ATOMIC_RELAXED);
        put_ahead(marker, &marker->view, work_of(span.start, WHITE_UNIT_LARGE));
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
        .list = {.items = items, .limit = limit},
        .unreadable = other->unreadable,
        .unreadable_count = other->unreadable_count,
    };
    clear_pending(marker);
}

/* The rest of a large block is given as the whole. */
static void give(struct marker *marker, struct work work)
{
    uintptr_t start = work_start(work);
    uint64_t unit = marker->view.units[(start - marker->view.heap_start) >> UNIT_SHIFT];
    void *white = (void *)(uintptr_t)(unit >> WHITE_UNIT_SHIFT);
    if (work_class(work) == WHITE_UNIT_LARGE) {
        struct white_large *large = white;
        turn_grey(marker, &large->white, large->start);
        return;
    }
    size_t unit_index = (start - marker->view.heap_start) >> UNIT_SHIFT;
    size_t first_unit = unit_index - (unit >> WHITE_UNIT_BACK_SHIFT & WHITE_UNIT_MASK);
    uintptr_t offset = start - marker->view.heap_start - (first_unit << UNIT_SHIFT);
    turn_grey(marker, (uint8_t *)white + offset / classes[work_class(work)].slot_bytes, start);
}

static bool is_rest(const struct marker *marker, struct work work)
{
    uint64_t unit = marker->view.units[(work_start(work) - marker->view.heap_start) >> UNIT_SHIFT];
    return work_class(work) == WHITE_UNIT_LARGE &&
           ((struct white_large *)(uintptr_t)(unit >> WHITE_UNIT_SHIFT))->start != work_start(work);
}

void mark_share(struct marker *marker)
{
    struct worklist *list = &marker->list;
    size_t half = list->count / 2, kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (i < half && !is_rest(marker, list->items[i]))
            give(marker, list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

void mark_leave(struct marker *marker)
{
    while (flush_oldest(marker))
        ;
    while (marker->list.count != 0)
        give(marker, worklist_pop(&marker->list));
    for (; marker->ahead_count != 0; marker->ahead_count--)
        give(marker, marker->ahead[marker->next_ahead++ % MARK_AHEAD]);
    marker->part.next = marker->part.end; /* units not looked through yet have their flags */
}

/* ---- from outside ---- */

bool mark_drain_some(struct marker *marker, size_t count)
{
    for (;;) {
        if (!work_off_list(marker, &count))
            return false;
        while (flush_oldest(marker))
            ;
        if (marker->list.count != 0)
            continue;
        if (!work_off_part(marker, &count))
            return false;
        if (marker->ahead_count == 0 && !take_part(marker))
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
    scan_part(marker, start, end);
}

/* The upper halves of the words at multiples of eight are the odd lanes. */
void mark_range(struct marker *marker, const void *start, const void *end, unsigned step_bytes)
{
    const struct mark_view view = marker->view;
    const char *from = start;
    const char *limit = end;
    if (limit - from < 8)
        return;
    if (step_bytes == 8) {
        scan(marker, &view, from, limit, 0xaaaaaaaa, true);
        return;
    }
    for (unsigned shift = 0; shift < (step_bytes == 1 ? 4u : 1u); shift++)
        scan(marker, &view, from + shift, limit, ~(uint32_t)0, true);
}

void mark_word(struct marker *marker, uintptr_t value)
{
    consider_word(marker, &marker->view, (const char *)&value, true);
}
