/*
 * leak/edges: which lost blocks lead to which.
 *
 * No branch depends on what a mark says, so the processor waits for many of them at once.
 *
 * Uses os, base, heap, gc. Locks: none.
 */
#include "leak/edges.h"

#include "base/bits.h"
#include "gc/mark_find.h"
#include "leak/census.h"
#include "leak/census_each.h"
#include "leak/grown.h"

#include <errno.h>

enum {
    EDGES_PIECE = MARK_LANES + 1, /* what a piece of a block may lead to, and the end */
    HUGE_FROM_BYTES = 4 << 20,
};

const uint32_t *edges_to;

struct noting {
    struct mark_view view;
    uint32_t *to;
    size_t count;
    size_t room;
    uint8_t *own; /* the mark of the block that is read */
    bool reads_plainly;
    int result;
};

static struct grown lists;

/* False without memory, or numbers. */
COLD NOINLINE static bool grow(struct noting *noting)
{
    size_t wanted = noting->room + EDGES_PIECE;
    if (noting->result == 0)
        noting->result = wanted < UINT32_MAX ? grown_need(&lists, wanted * sizeof(uint32_t)) : -ENOMEM;
    if (noting->result == 0 && lists.size_bytes >= HUGE_FROM_BYTES)
        os_set_huge_pages(lists.start, lists.size_bytes, true);
    noting->to = lists.start;
    noting->room = lists.size_bytes / sizeof(uint32_t);
    return noting->result == 0;
}

static ALWAYS_INLINE bool has_room(struct noting *noting)
{
    return LIKELY(noting->room - noting->count >= EDGES_PIECE) || grow(noting);
}

/* That the block has another class, or is none, is no branch. */
static ALWAYS_INLINE void note(struct noting *noting, uint8_t *mark)
{
    uint8_t was = *mark;
    noting->to[noting->count] = (uint32_t)(mark - census.marks);
    noting->count += (was & MARK_CLASS) == LEAK_UNSEEN;
    *mark = (uint8_t)(was | (MARK_HELD & -(mark != noting->own)));
}

static void note_word(uintptr_t word, void *context)
{
    struct noting *noting = context;
    struct cell other;
    if (word - census.heap_start < census.heap_bytes && census_find(word, &other) && has_room(noting))
        note(noting, &census.marks[other.place]);
}

static ALWAYS_INLINE void note_lanes(struct noting *noting, const char *place, uint32_t lanes)
{
    for (; lanes != 0; lanes &= lanes - 1) {
        uint64_t offset = offset_at(&noting->view, place + 4 * (size_t)bit_lowest(lanes) - 4);
        if (UNLIKELY(offset >= noting->view.heap_bytes))
            continue;
        uint64_t unit = noting->view.units[offset >> UNIT_SHIFT];
        if (LIKELY(has_slots(unit)))
            note(noting, find_slot(&noting->view, unit, offset).white);
        else
            note_word(noting->view.heap_start + offset, noting);
    }
}

/* The words at the multiples of four; the first lane is nobody's upper half. */
static ALWAYS_INLINE void read_plainly(struct noting *noting, uintptr_t start, size_t size_bytes)
{
    const char *place = (const char *)start;
    const char *end = place + size_bytes;
    uint32_t wanted = ~(uint32_t)1;
    for (; place < end && has_room(noting); place += 64, wanted = ~(uint32_t)0)
        note_lanes(noting, place, lanes_of(&noting->view, place, (size_t)(end - place)) & wanted);
}

static ALWAYS_INLINE void visit(const struct cell *cell, void *context)
{
    struct noting *noting = context;
    size_t first = noting->count;
    noting->own = &census.marks[cell->place];
    if (census_is_leaf(cell))
        ;
    else if (LIKELY(noting->reads_plainly))
        read_plainly(noting, cell->start, cell->size_bytes);
    else
        census_scan(cell, note_word, noting);
    bool is_end = noting->count == first || !has_room(noting);
    census.numbers[cell->place] = is_end ? EDGES_END : (uint32_t)first;
    if (!is_end)
        noting->to[noting->count++] = EDGES_END;
}

int edges_find(void)
{
    struct noting noting = {.view = census.view, .reads_plainly = census.unreadable_count == 0 && !census.distances};
    noting.view.heap_bytes = census.heap_bytes;
    census_each_read(MARK_CLASS, LEAK_UNSEEN, visit, &noting);
    edges_to = noting.to;
    return noting.result;
}

void edges_drop(void)
{
    grown_drop(&lists);
    edges_to = NULL;
}
