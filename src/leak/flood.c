/*
 * leak/flood: from blocks to what they lead to, and on.
 *
 * By page, a word costs a look at the table of units and one at the block's mark, and no branch depends on what is found there: so the
 * processor waits for many of them at once. That a leaf turns grey, too, does no harm.
 *
 * Uses os, base, heap, gc. Locks: none.
 */
#include "leak/flood.h"

#include "base/bits.h"
#include "gc/area.h"
#include "gc/mark_find.h"
#include "leak/census_each.h"
#include "leak/inner.h"

#include <errno.h>
#include <string.h>

enum {
    LIST_MAX = 4096,
    AHEAD = 16,
    PART_UNITS = 64,
    DENSE = 3, /* grey blocks in a unit: fewer are better followed one after the other */
};

/* What loops over words look at, and what they count. They work on a copy, so that most of it is in registers. */
struct look {
    struct mark_view view;  /* its units lead to marks; offsets below heap_bytes are worth a look */
    struct flood_aim aim;
    uint8_t *greys;         /* by unit: whether a grey block starts there */
    bool reads_plainly;     /* all of a block is read, and no words are distances */
    bool by_page;           /* what is found turns grey, instead of going to the list */
    size_t taken;
    size_t greyed;     /* so many of them have turned grey */
    size_t list_count; /* of flood.list */
    uint32_t paged_end; /* of flood.paged, counted on and on */
};

/* A block that is about to turn grey, while its mark is on the way into the cache. */
struct paged {
    uint8_t *mark;
    size_t unit; /* it starts in */
};

struct flood {
    struct look look;
    bool has_inner;
    size_t unit_count;
    size_t next_unit;                /* from here on the next look for grey ones begins */
    uint32_t ahead_first, ahead_end; /* counted on and on */
    uint32_t paged_first;            /* what lies before is done with, and has a mark that is none */
    struct mark_found ahead[AHEAD];  /* about to be taken and read */
    struct paged paged[AHEAD];
    uint64_t list[LIST_MAX]; /* offsets in the heap */
};

static struct flood flood;
static uint8_t no_mark;
static struct area greys_area;

static struct look begin_look(void)
{
    struct look look = flood.look;
    look.taken = look.greyed = 0;
    return look;
}

/* Words that are rare have been counted in the original. */
static void end_look(const struct look *look)
{
    flood.look.by_page = look->by_page;
    flood.look.taken += look->taken;
    flood.look.greyed += look->greyed;
    flood.look.list_count = look->list_count;
    flood.look.paged_end = look->paged_end;
}

/* ---- words that are not the start of a small block ---- */

static void take_later(const struct cell *cell)
{
    census.marks[cell->place] = (uint8_t)((census.marks[cell->place] & MARK_KEPT) | MARK_GREY | flood.look.aim.class);
    flood.look.greys[(cell->start - census.heap_start) >> UNIT_SHIFT] = 1;
    flood.look.greyed++;
    flood.look.taken++;
}

static void meet_cell(const struct cell *cell, uintptr_t address)
{
    if (!mark_is_open(census.marks[cell->place]))
        return;
    if (address - cell->start <= flood.look.aim.inner_bytes || inner_holds(cell, address)) {
        take_later(cell);
    } else {
        census_set_class(cell, LEAK_INNER);
        flood.has_inner = true;
    }
}

/* A block that fills its slot may be pointed to behind its end; if another block starts there, that is what is meant. */
NOINLINE static void meet_rare(uintptr_t address)
{
    struct cell cell;
    bool is_slot = address - census.heap_start < census.heap_bytes && census_find(address, &cell);
    if (is_slot && census_class(&cell) != LEAK_NONE)
        meet_cell(&cell, address);
    else if (flood.look.aim.ends && (!is_slot || cell.start == address) && address - 1 - census.heap_start < census.heap_bytes &&
             census_find(address - 1, &cell) && cell.start + cell.size_bytes == address && census_class(&cell) != LEAK_NONE)
        meet_cell(&cell, address - 1);
}

/* ---- words ---- */

/* Whether there are slots. */
static ALWAYS_INLINE bool find(const struct mark_view *view, uint64_t offset, struct mark_found *found_out)
{
    uint64_t unit = view->units[offset >> UNIT_SHIFT];
    if (UNLIKELY(!has_slots(unit)))
        return false;
    *found_out = find_slot(view, unit, offset);
    return true;
}

static ALWAYS_INLINE bool is_near(const struct look *look, struct mark_found found, uint64_t offset)
{
    return look->view.heap_start + offset - found.start <= look->aim.inner_bytes;
}

static ALWAYS_INLINE void turn_grey(struct look *look, struct paged found)
{
    uint8_t mark = *found.mark;
    bool is_new = mark_is_open(mark);
    uint8_t taken = (uint8_t)((mark & MARK_KEPT) | MARK_GREY | look->aim.class);
    *found.mark = (uint8_t)(mark ^ ((mark ^ taken) & -is_new)); /* gcc makes a branch of ?: */
    look->greys[found.unit] |= is_new;
    look->greyed += is_new;
    look->taken += is_new;
}

/* The ring is left with the newest; the oldest turns grey. */
static ALWAYS_INLINE void put_paged(struct look *look, struct mark_found found)
{
    __builtin_prefetch(found.white, 1);
    struct paged *place = &flood.paged[look->paged_end++ % AHEAD];
    struct paged oldest = *place;
    *place = (struct paged){found.white, (found.start - look->view.heap_start) >> UNIT_SHIFT};
    turn_grey(look, oldest);
}

static void flush_paged(void)
{
    struct look look = begin_look();
    if (look.paged_end - flood.paged_first > AHEAD)
        flood.paged_first = look.paged_end - AHEAD;
    for (; flood.paged_first != look.paged_end; flood.paged_first++) {
        struct paged *place = &flood.paged[flood.paged_first % AHEAD];
        turn_grey(&look, *place);
        *place = (struct paged){&no_mark, 0};
    }
    end_look(&look);
}

static ALWAYS_INLINE void meet_paged(struct look *look, uint64_t offset)
{
    struct mark_found found;
    if (UNLIKELY(!find(&look->view, offset, &found))) {
        if (look->view.units[offset >> UNIT_SHIFT] != 0 || look->aim.ends)
            meet_rare(look->view.heap_start + offset);
    } else if (UNLIKELY(!is_near(look, found, offset)) || (UNLIKELY(look->aim.ends) && (*found.white & MARK_CLASS) == LEAK_NONE)) {
        meet_rare(look->view.heap_start + offset);
    } else {
        put_paged(look, found);
    }
}

/* `lanes` has a bit for each upper half of a word; lane 0 lies at `place`. */
static ALWAYS_INLINE void page_lanes(struct look *look, const char *place, uint32_t lanes)
{
    for (; lanes != 0; lanes &= lanes - 1) {
        uint64_t offset = offset_at(&look->view, place + 4 * (size_t)bit_lowest(lanes) - 4);
        if (offset < look->view.heap_bytes)
            meet_paged(look, offset);
    }
}

/* The list has room for them all and one more. */
static ALWAYS_INLINE void list_lanes(struct look *look, const char *place, uint32_t lanes)
{
    for (; lanes != 0; lanes &= lanes - 1) {
        uint64_t offset = offset_at(&look->view, place + 4 * (size_t)bit_lowest(lanes) - 4);
        flood.list[look->list_count] = offset;
        look->list_count += offset < look->view.heap_bytes;
    }
}

static ALWAYS_INLINE void follow_lanes(struct look *look, const char *place, uint32_t lanes)
{
    if (!look->by_page && LIKELY(LIST_MAX - look->list_count > MARK_LANES)) {
        list_lanes(look, place, lanes);
    } else {
        look->by_page = true;
        page_lanes(look, place, lanes);
    }
}

/* ---- blocks ---- */

static void meet_word(uintptr_t word, void *context)
{
    (void)context;
    uint64_t offset = word - flood.look.view.heap_start;
    if (offset < flood.look.view.heap_bytes)
        meet_paged(&flood.look, offset);
}

/* Where words may be distances, or parts of blocks can't be read. */
COLD static void read_otherwise(uintptr_t start, size_t size_bytes)
{
    struct cell cell = {.start = start, .size_bytes = size_bytes};
    census_scan(&cell, meet_word, NULL);
}

/* The words at the multiples of four; the first lane is nobody's upper half. */
static ALWAYS_INLINE void read_plainly(struct look *look, uintptr_t start, size_t size_bytes)
{
    const char *place = (const char *)start;
    const char *end = place + size_bytes;
    uint32_t wanted = ~(uint32_t)1;
    for (; place < end; place += 64, wanted = ~(uint32_t)0)
        follow_lanes(look, place, lanes_of(&look->view, place, (size_t)(end - place)) & wanted);
}

static ALWAYS_INLINE void read_block(struct look *look, uintptr_t start, size_t size_bytes)
{
    if (LIKELY(look->reads_plainly))
        read_plainly(look, start, size_bytes);
    else
        read_otherwise(start, size_bytes);
}

/* ---- one after the other ---- */

/* The mark and the block should be in the cache by now. One that is grey was taken before, and has not been read. */
static ALWAYS_INLINE void resolve(struct look *look, struct mark_found found)
{
    uint8_t mark = *found.white;
    bool is_new = mark_is_open(mark);
    if (!is_new && (mark & MARK_GREY) == 0)
        return;
    *found.white = is_new ? (uint8_t)((mark & MARK_KEPT) | look->aim.class) : (uint8_t)(mark & ~MARK_GREY);
    look->taken += is_new;
    if ((mark & MARK_LEAF) == 0)
        read_block(look, found.start, found.class->slot_bytes);
}

static ALWAYS_INLINE void put_ahead(struct look *look, struct mark_found found)
{
    const char *start = (const char *)found.start;
    __builtin_prefetch(found.white, 1);
    __builtin_prefetch(start);
    __builtin_prefetch(start + found.class->last_byte);
    struct mark_found *place = &flood.ahead[flood.ahead_end % AHEAD];
    struct mark_found oldest = *place;
    *place = found;
    if (LIKELY(flood.ahead_end++ - flood.ahead_first == AHEAD)) {
        flood.ahead_first++;
        resolve(look, oldest);
    }
}

static ALWAYS_INLINE void follow(struct look *look, uint64_t offset)
{
    struct mark_found found;
    if (LIKELY(find(&look->view, offset, &found)) && LIKELY(!look->aim.ends) && LIKELY(is_near(look, found, offset)))
        put_ahead(look, found);
    else
        meet_paged(look, offset);
}

static bool is_idle(void)
{
    return flood.look.list_count == 0 && flood.ahead_first == flood.ahead_end;
}

NOINLINE static void work_off_list(void)
{
    struct look look = begin_look();
    for (;;) {
        if (look.list_count != 0)
            follow(&look, flood.list[--look.list_count]);
        else if (flood.ahead_first != flood.ahead_end)
            resolve(&look, flood.ahead[flood.ahead_first++ % AHEAD]);
        else
            break;
    }
    end_look(&look);
}

/* ---- page by page ---- */

/* Slots of a span, in one unit. Returns how many were grey. */
NOINLINE static size_t read_grey_slots(size_t unit, size_t first, size_t end)
{
    struct look look = begin_look();
    const struct mark_class *class = &look.view.classes[white_unit_class(look.view.units[unit])];
    const uintptr_t start = heap_layout.units[unit].start;
    uint8_t *marks = census.marks + census_place(unit);
    size_t found = 0;
    for (size_t from = first; from < end; from += MARK_LANES) {
        uint32_t greys = os_bytes_with_16(marks + from, MARK_GREY) & lanes_below(end - from);
        for (; greys != 0; greys &= greys - 1, found++) {
            size_t slot = from + bit_lowest(greys);
            put_ahead(&look, (struct mark_found){marks + slot, start + slot * class->slot_bytes, class});
        }
    }
    end_look(&look);
    return found;
}

NOINLINE static size_t read_grey_large(const struct span *span)
{
    uint8_t *mark = &census.marks[census_place(span->first_unit)];
    if ((*mark & MARK_GREY) == 0)
        return 0;
    *mark &= (uint8_t)~MARK_GREY;
    struct look look = begin_look();
    if ((*mark & MARK_LEAF) == 0)
        read_block(&look, span->start, span->slot_bytes);
    end_look(&look);
    return 1;
}

/* What is grey and starts in this unit. */
static size_t read_grey_unit(size_t number)
{
    const struct unit *unit = &heap_layout.units[number];
    if (unit->kind != UNIT_SPAN)
        return read_grey_large(span_at((const void *)unit_start(number)));
    size_t from = unit_start(number) - unit->start;
    size_t first = (from + unit->slot_bytes - 1) / unit->slot_bytes;
    size_t end = (from + UNIT_BYTES + unit->slot_bytes - 1) / unit->slot_bytes;
    return read_grey_slots(number, first, end < unit->span->slot_count ? end : unit->span->slot_count);
}

static size_t find_grey(size_t from, size_t end)
{
    const uint8_t *found = from < end ? memchr(flood.look.greys + from, 1, end - from) : NULL;
    return found == NULL ? end : (size_t)(found - flood.look.greys);
}

/* The first unit that has a flag, around and around; unit_count if there is none. */
static size_t find_next(void)
{
    size_t unit = find_grey(flood.next_unit, flood.unit_count);
    if (unit < flood.unit_count)
        return unit;
    unit = find_grey(0, flood.next_unit);
    return unit < flood.next_unit ? unit : flood.unit_count;
}

/* Some units in a row. How full they are decides how what is found next is followed. False when nothing is grey. */
static bool read_part(void)
{
    flood.look.greyed = 0;
    size_t unit = find_next();
    if (unit == flood.unit_count)
        return false;
    size_t end = flood.unit_count - unit > PART_UNITS ? unit + PART_UNITS : flood.unit_count;
    size_t units = 0;
    size_t blocks = 0;
    for (; unit < end; unit = find_grey(unit, end), units++) {
        flood.look.greys[unit] = 0;
        blocks += read_grey_unit(unit);
    }
    flood.next_unit = end;
    flood.look.by_page = blocks >= DENSE * units;
    flood.look.greyed = 1; /* perhaps: the next look says */
    return true;
}

/* ---- from outside ---- */

int flood_start(void)
{
    size_t units = census.heap_bytes >> UNIT_SHIFT;
    if (area_need(&greys_area, units) != 0)
        return -ENOMEM;
    memset(&flood, 0, sizeof flood - sizeof flood.list);
    memset(greys_area.start, 0, units);
    flood.unit_count = units;
    for (size_t i = 0; i < AHEAD; i++)
        flood.paged[i].mark = &no_mark;
    flood.look.greys = (uint8_t *)greys_area.start;
    flood.look.view = census.view;
    return 0;
}

void flood_end(void)
{
    area_trim(&greys_area, 0);
}

void flood_aim(const struct flood_aim *aim)
{
    flood.look.aim = *aim;
    flood.look.taken = 0;
    flood.look.by_page = false;
    flood.look.reads_plainly = census.unreadable_count == 0 && !census.distances;
}

void flood_word(uintptr_t word)
{
    meet_word(word, NULL);
}

void flood_take(const struct cell *cell)
{
    census_set_class(cell, flood.look.aim.class);
    struct look look = begin_look();
    look.taken = 1;
    if (!census_is_leaf(cell))
        read_block(&look, cell->start, cell->size_bytes);
    end_look(&look);
}

void flood_run(void)
{
    do {
        if (!is_idle())
            work_off_list();
        if (flood.paged_first != flood.look.paged_end)
            flush_paged();
    } while ((flood.look.greyed != 0 && read_part()) || !is_idle());
}

bool flood_has_inner(void)
{
    return flood.has_inner;
}

size_t flood_taken(void)
{
    return flood.look.taken;
}
