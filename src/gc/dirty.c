/*
 * gc/dirty: marks once more from the blocks on pages that were written while marking went on.
 *
 * The unit descriptors say what is there now. Under the run lock no span goes, and one that is about to come has no blocks yet
 * that anybody has written to: its descriptors were complete before. What is read afterwards may be free by then, or somebody else's:
 * that was written later, and is read again.
 *
 * Uses heap. Locks: the run lock.
 */
#include "gc/dirty.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "base/image.h"
#include "gc/area.h"
#include "gc/remark.h"
#include "gc/white_lanes.h"
#include "heap/runs.h"
#include "heap/span.h"
#include "os/match.h"
#include "os/memory.h"

#include <string.h>

enum {
    MARGIN_BYTES = 16, /* a word may lie across the border of two pages */
    BATCH_BYTES = 65536,
    SLOTS_MAX = UNIT_BYTES / BLOCK_ALIGNMENT,
    AHEAD = 8,
};

/* Still to be marked, and then scanned as a whole. */
static bool is_waiting(uint8_t white, uint8_t state)
{
    return (white & (WHITE | WHITE_LEAF)) != 0 && slot_birth(state) != image_now->birth;
}

static bool holds_pointers(uint8_t state)
{
    return slot_kind(state) == SLOT_ALLOCATED;
}

/* What of a unit is to be read. */
struct stretches {
    size_t count;
    struct roots_part list[SLOTS_MAX / 2 + 1];
};

static void add(struct stretches *found, uintptr_t start, size_t size_bytes, uintptr_t from, uintptr_t to)
{
    from = start > from - MARGIN_BYTES ? start : from - MARGIN_BYTES;
    to = start + size_bytes < to + MARGIN_BYTES ? start + size_bytes : to + MARGIN_BYTES;
    if (from < to)
        found->list[found->count++] = (struct roots_part){from, to};
}

/* Those of sixteen slots that are to be marked from, a bit each. `white` is NULL where there are no white bytes. */
static uint32_t find_sixteen(const uint8_t *states, const uint8_t *white)
{
    white_lanes now = lanes_load(states);
    white_lanes found = (white_lanes)((now & (uint8_t)KIND_MASK) == (uint8_t)SLOT_ALLOCATED);
    if (white != NULL) {
        white_lanes candidates = (white_lanes)((lanes_load(white) & (uint8_t)(WHITE | WHITE_LEAF)) != 0);
        found &= ~(candidates & ~lanes_born(now, slot_state_of(SLOT_FRESH, image_now->birth)));
    }
    uint8_t bytes[LANES];
    memcpy(bytes, &found, sizeof bytes);
    return os_bytes_with_16(bytes, UINT8_MAX);
}

/* The slots of [first, last] that are to be marked from, in order. Returns how many. */
static uint32_t find_slots(const struct span *span, const uint8_t *white, uint32_t first, uint32_t last, uint16_t *found)
{
    uint32_t count = 0, i = first;
    for (; i + LANES <= last + 1; i += LANES)
        for (uint32_t bits = find_sixteen(span->states + i, white == NULL ? NULL : white + i); bits != 0; bits &= bits - 1)
            found[count++] = (uint16_t)(i + bit_lowest(bits));
    for (; i <= last; i++) {
        uint8_t state = slot_state_get(&span->states[i]);
        if (holds_pointers(state) && !(white != NULL && is_waiting(white[i], state)))
            found[count++] = (uint16_t)i;
    }
    return count;
}

static void find_in_slots(const struct span *span, uintptr_t from, uintptr_t to, struct stretches *found)
{
    uint16_t slots[SLOTS_MAX];
    struct white_span before;
    bool is_known = white_span_of(span->first_unit, &before) &&
                    before.white == white_of(span->states) && !before.is_large &&
                    before.class_index == span->class_index;
    uint32_t first = (uint32_t)((from - span->start) / span->slot_bytes);
    uint32_t last = (uint32_t)((to - 1 - span->start) / span->slot_bytes);
    last = last < span->slot_count ? last : span->slot_count - 1;
    uint32_t count = find_slots(span, is_known ? before.white : NULL, first, last, slots);
    for (uint32_t i = 0, in_a_row; i < count; i += in_a_row) {
        for (in_a_row = 1; i + in_a_row < count && slots[i + in_a_row] == slots[i] + in_a_row;)
            in_a_row++;
        add(found, span_slot(span, slots[i]), in_a_row * span->slot_bytes, from, to);
    }
}

static void find_in_large(const struct span *span, uintptr_t from, uintptr_t to, struct stretches *found)
{
    struct white_span before;
    uint8_t state =
        slot_state_get((const uint8_t *)&heap_layout.units[span->first_unit].large_state);
    bool is_known = white_span_of(span->first_unit, &before) && before.white == white_of(span) &&
                    before.is_large && before.start == span->start;
    if (holds_pointers(state) && !(is_known && is_waiting(*before.white, state)))
        add(found, span->start, span->slot_bytes, from, to);
}

/* A span's first unit is described last: before that nobody has any block of it. */
static struct span *complete_span_at(uintptr_t address)
{
    struct span *span = span_at((const void *)address);
    if (span == NULL || __atomic_load_n(&heap_layout.units[span->first_unit].span, __ATOMIC_ACQUIRE) != span)
        return NULL;
    return span;
}

/* [from, to) lies in one unit. */
static void find(uintptr_t from, uintptr_t to, struct stretches *found)
{
    struct span *span = complete_span_at(from);
    found->count = 0;
    if (span != NULL && span_is_large(span))
        find_in_large(span, from, to, found);
    else if (span != NULL)
        find_in_slots(span, from, to, found);
}

/* Old blocks among young ones are few and far between: each is asked for some ahead, as what it costs is the wait for it. */
static void read(struct marker *marker, const struct stretches *found)
{
    for (size_t i = 0; i < found->count; i++) {
        uintptr_t ahead = found->list[i + AHEAD < found->count ? i + AHEAD : i].start;
        __builtin_prefetch((const void *)ahead);
        __builtin_prefetch((const void *)(ahead + CACHE_LINE_BYTES));
        remark(marker, found->list[i].start, found->list[i].end);
    }
}

static uintptr_t end_in_unit(uintptr_t start, uintptr_t end)
{
    uintptr_t next = (start | (UNIT_BYTES - 1)) + 1;
    return next < end ? next : end;
}

void dirty_mark_stopped(struct marker *marker, uintptr_t start, uintptr_t end)
{
    struct stretches found;
    for (uintptr_t next; start < end; start = next) {
        next = end_in_unit(start, end);
        find(start, next, &found);
        read(marker, &found);
    }
}

/* Who makes spans waits for as long as it takes to see what is there, not until it is read. */
void dirty_mark(struct marker *marker, uintptr_t start, uintptr_t end)
{
    struct stretches found;
    for (uintptr_t next; start < end; start = next) {
        next = end_in_unit(start, end);
        run_lock();
        find(start, next, &found);
        run_unlock();
        read(marker, &found);
    }
}

/* A byte a page. Pages behind the last are not noted, and then nothing is known. */
static struct notes {
    struct area area;
    size_t pages;
    bool is_lost;
} notes[2];

static unsigned now;

void dirty_note(uintptr_t start, uintptr_t end)
{
    struct notes *present = &notes[now];
    size_t page = (start - heap_layout.slots_start) / os_page_bytes();
    size_t limit = (end - heap_layout.slots_start) / os_page_bytes();
    if (limit > present->pages) {
        present->is_lost = true;
        limit = present->pages;
    }
    if (page < limit)
        memset(present->area.start + page, 1, limit - page);
}

bool dirty_is_known(void)
{
    return !notes[now].is_lost;
}

void dirty_turn(void)
{
    now ^= 1;
    struct notes *present = &notes[now];
    size_t pages = atomic_load(&heap_layout.limit_bytes) * 2 / os_page_bytes();
    present->is_lost = area_need(&present->area, pages) != 0;
    present->pages = present->is_lost ? 0 : pages;
    if (pages != 0 && !present->is_lost)
        memset(present->area.start, 0, pages);
}

/* The next stretch of noted pages, no longer than a batch, from page *first_inout on. Returns its end, or 0. */
static size_t next_stretch(const struct notes *of, size_t *first_inout)
{
    size_t first = *first_inout;
    if (first >= of->pages)
        return 0;
    const char *found = memchr(of->area.start + first, 1, of->pages - first);
    if (found == NULL)
        return 0;
    first = (size_t)(found - of->area.start);
    size_t end = first, most = first + BATCH_BYTES / os_page_bytes();
    while (end < of->pages && end < most && of->area.start[end] != 0)
        end++;
    *first_inout = first;
    return end;
}

static uintptr_t address_of(size_t page)
{
    return heap_layout.slots_start + page * os_page_bytes();
}

size_t dirty_mark_before(struct marker *marker, size_t page)
{
    size_t end = next_stretch(&notes[now ^ 1], &page);
    if (end == 0)
        return SIZE_MAX;
    dirty_mark(marker, address_of(page), address_of(end));
    return end;
}

COLD void dirty_mark_noted(struct marker *marker)
{
    size_t page = 0;
    for (size_t end; (end = next_stretch(&notes[now], &page)) != 0; page = end) {
        dirty_mark_stopped(marker, address_of(page), address_of(end));
        if (marker->list.count > marker->list.limit / 2)
            mark_drain(marker);
    }
}
