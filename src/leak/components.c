/*
 * leak/components: one head for each group of lost blocks that nothing outside of it holds.
 *
 * A block that no other lost block has a word for is a head: one pass over all of them, in the order of their addresses, finds
 * these, and all that they lead to hangs under them. Mostly nothing is left. What is left are cycles and what they lead to.
 *
 * Blocks that hold each other in a cycle are one strongly connected component, and the heads wanted are one block of each
 * component that no other leads into. Two walks through the blocks in depth find them, both along the pointers: the first
 * notes in which order it is done with them; the second begins with what was last. Of two components, one of which leads
 * to the other, the first walk is done last with one of the former (Sharir: "A strong-connectivity algorithm and its
 * applications", 1981); so the second walk comes to a block of a component that something leads into only from there,
 * and every block it begins with is a head.
 *
 * Uses heap, gc/area. Locks: none.
 */
#include "leak/census.h"

#include "gc/area.h"
#include "leak/census_each.h"
#include "leak/flood.h"

#include <errno.h>

/* A block that the first walk is in the middle of. */
struct step {
    uintptr_t start;
    size_t next; /* where to read on */
};

struct head {
    bool is_in_cycle;
};

static struct area steps_area;
static struct area order_area;
static struct area heads_area;
static uint32_t head_count;

/* ---- the first walk ---- */

struct walk {
    struct step *steps;
    size_t depth;
    uintptr_t *order;
    size_t done;
};

static void begin(struct walk *walk, const struct cell *cell)
{
    census_set_class(cell, LEAK_FINISHED);
    if (census_is_leaf(cell))
        walk->order[walk->done++] = cell->start;
    else
        walk->steps[walk->depth++] = (struct step){cell->start, 0};
}

/* Behind the part that the offset lies in, if it must not be read; else the offset. *end_out is where the next such part begins. */
static size_t skip_unreadable(const struct cell *cell, size_t offset, size_t *end_out)
{
    *end_out = cell->size_bytes;
    for (size_t i = 0; UNLIKELY(i < census.unreadable_count); i++) {
        struct roots_part part = census.unreadable[i];
        uintptr_t at = cell->start + offset;
        if (part.end <= at || part.start >= cell->start + *end_out)
            continue;
        if (part.start > at)
            *end_out = part.start - cell->start;
        else
            offset = part.end - cell->start;
    }
    return offset;
}

static bool next_word(const struct cell *cell, size_t *next, uintptr_t *word_out)
{
    while (*next < cell->size_bytes) {
        size_t end;
        *next = skip_unreadable(cell, *next, &end);
        if (*next < end && census_next_word(cell->start, end, next, word_out))
            return true;
        *next = *next > end ? *next : end;
    }
    return false;
}

static bool find_lost(uintptr_t word, struct cell *cell_out)
{
    return word - census.heap_start < census.heap_bytes && census_find(word, cell_out) &&
           census_class(cell_out) == LEAK_UNSEEN;
}

static void walk_on(struct walk *walk)
{
    while (walk->depth > 0) {
        struct step *step = &walk->steps[walk->depth - 1];
        struct cell cell = census_at(step->start);
        struct cell found;
        uintptr_t word;
        bool goes_on = false;
        while (!goes_on && next_word(&cell, &step->next, &word)) {
            goes_on = find_lost(word, &found);
            if (goes_on)
                begin(walk, &found);
        }
        if (!goes_on) {
            walk->order[walk->done++] = step->start;
            walk->depth--;
        }
    }
}

static void walk_from(const struct cell *cell, void *context)
{
    struct walk *walk = context;
    if (census_class(cell) != LEAK_UNSEEN)
        return;
    begin(walk, cell);
    walk_on(walk);
}

/* ---- what hangs under a head ---- */

struct fold {
    uint32_t head;
    size_t left; /* blocks that do not hang under any yet */
};

NOINLINE static void fold_under(const struct cell *head, struct fold *fold)
{
    flood_aim(&(struct flood_aim){
        .class = LEAK_INDIRECT, .inner_bytes = SIZE_MAX, .numbers = census.numbers, .number = fold->head});
    flood_take(head);
    flood_run();
    census_set_class(head, LEAK_DEFINITE);
    ((struct head *)heads_area.start)[fold->head].is_in_cycle = flood_came_back();
    fold->left -= flood_taken();
    fold->head++;
}

/* ---- blocks that no other lost block holds ---- */

static void fold_unheld(const struct cell *cell, void *context)
{
    if (census_class(cell) == LEAK_UNSEEN)
        fold_under(cell, context);
}

static void find_unheld(struct fold *fold)
{
    flood_hold_others();
    census_each_read(MARK_CLASS | MARK_HELD, LEAK_UNSEEN, fold_unheld, fold);
}

/* ---- the rest ---- */

static int find_in_cycles(struct fold *fold)
{
    if (area_need(&steps_area, fold->left * sizeof(struct step)) != 0 ||
        area_need(&order_area, fold->left * sizeof(uintptr_t)) != 0)
        return -ENOMEM;
    struct walk walk = {.steps = (struct step *)steps_area.start, .order = (uintptr_t *)order_area.start};
    census_each_like(MARK_CLASS, LEAK_UNSEEN, walk_from, &walk);
    while (walk.done > 0) {
        struct cell cell = census_at(walk.order[--walk.done]);
        if (census_class(&cell) == LEAK_FINISHED)
            fold_under(&cell, fold);
    }
    return 0;
}

int components_find(size_t count)
{
    head_count = 0;
    if (count == 0)
        return 0;
    if (area_need(&heads_area, count * sizeof(struct head)) != 0)
        return -ENOMEM;
    struct fold fold = {.left = count};
    find_unheld(&fold);
    if (fold.left > 0 && find_in_cycles(&fold) != 0)
        return -ENOMEM;
    head_count = fold.head;
    return 0;
}

uint32_t classify_head_count(void)
{
    return head_count;
}

bool classify_head_is_in_cycle(uint32_t head)
{
    return ((const struct head *)heads_area.start)[head].is_in_cycle;
}

void classify_end(void)
{
    census_end();
    flood_end();
    area_trim(&steps_area, 0);
    area_trim(&order_area, 0);
    area_trim(&heads_area, 0);
}
