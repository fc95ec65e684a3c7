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
 * All of this goes by leak/edges: a block is its place in the census here.
 *
 * Uses heap, gc/area. Locks: none.
 */
#include "leak/census.h"

#include "gc/area.h"
#include "leak/census_each.h"
#include "leak/edges.h"
#include "leak/flood.h"

#include <errno.h>

enum { AHEAD = 16, LISTS_AHEAD = 8 };

struct head {
    bool is_in_cycle;
};

static struct area queue_area;
static struct area steps_area;
static struct area order_area;
static struct area heads_area;
static uint32_t head_count;

static void set_class(uint32_t place, enum leak_class class)
{
    census.marks[place] = (uint8_t)((census.marks[place] & MARK_KEPT) | class);
}

/* ---- what hangs under a head ---- */

/*
 * Places that were read wait for their marks to come into the cache; lists of blocks that were taken wait in a queue, so that it is
 * known long before which ones will be read.
 */
struct fold {
    uint32_t head;
    uint32_t head_place;
    size_t left; /* blocks that do not hang under any yet */
    bool came_back; /* one under the head leads to it */
    uint32_t *queue;
    size_t queue_first, queue_end;
    uint32_t ahead_first, ahead_end; /* counted on and on */
    uint32_t ahead[AHEAD];
};

/* Without a branch: in a graph at random nobody can guess which blocks have been taken before. */
static ALWAYS_INLINE void resolve(struct fold *fold, uint32_t place)
{
    uint8_t mark = census.marks[place];
    uint32_t number = census.numbers[place];
    uint32_t is_new = mark_is_open(mark);
    uint8_t taken = (uint8_t)((mark & MARK_KEPT) | LEAK_INDIRECT);
    census.marks[place] = (uint8_t)(mark ^ ((mark ^ taken) & -is_new)); /* gcc makes a branch of ?: */
    census.numbers[place] = number ^ ((number ^ fold->head) & -is_new);
    fold->queue[fold->queue_end] = number;
    fold->queue_end += is_new & (number != EDGES_END);
    fold->left -= is_new;
    fold->came_back |= place == fold->head_place;
}

static ALWAYS_INLINE void put_ahead(struct fold *fold, uint32_t place)
{
    __builtin_prefetch(&census.marks[place], 1);
    __builtin_prefetch(&census.numbers[place], 1);
    uint32_t *at = &fold->ahead[fold->ahead_end % AHEAD];
    uint32_t oldest = *at;
    *at = place;
    if (fold->ahead_end++ - fold->ahead_first == AHEAD) {
        fold->ahead_first++;
        resolve(fold, oldest);
    }
}

static ALWAYS_INLINE void read_list(struct fold *fold, uint32_t list)
{
    for (const uint32_t *to = &edges_to[list]; *to != EDGES_END; to++)
        put_ahead(fold, *to);
}

/* Behind the queue's end there is room for one list that is none, and what lies there is no harm to prefetch. */
NOINLINE static void work_off(struct fold *fold, uint32_t list)
{
    struct fold now = *fold;
    now.queue_first = now.queue_end = 0;
    read_list(&now, list);
    for (;;) {
        if (now.queue_first != now.queue_end) {
            list = now.queue[now.queue_first++];
            __builtin_prefetch(&edges_to[now.queue[now.queue_first + LISTS_AHEAD]]);
            read_list(&now, list);
        } else if (now.ahead_first != now.ahead_end) {
            resolve(&now, now.ahead[now.ahead_first++ % AHEAD]);
        } else {
            break;
        }
    }
    *fold = now;
}

static ALWAYS_INLINE void fold_under(uint32_t place, struct fold *fold)
{
    uint32_t list = census.numbers[place];
    set_class(place, LEAK_DEFINITE);
    census.numbers[place] = fold->head;
    fold->head_place = place;
    fold->came_back = false;
    fold->left--;
    if (list != EDGES_END)
        work_off(fold, list);
    ((struct head *)heads_area.start)[fold->head++].is_in_cycle = fold->came_back;
}

/* ---- blocks that no other lost block holds ---- */

static ALWAYS_INLINE void fold_unheld(const struct cell *cell, void *context)
{
    fold_under((uint32_t)cell->place, context);
}

/* ---- the rest ---- */

/* A block that the first walk is in the middle of. */
struct step {
    uint32_t place;
    uint32_t next; /* where to read on */
};

struct walk {
    struct step *steps;
    size_t depth;
    uint32_t *order;
    size_t done;
};

static void begin(struct walk *walk, uint32_t place)
{
    uint32_t list = census.numbers[place];
    set_class(place, LEAK_FINISHED);
    if (list == EDGES_END)
        walk->order[walk->done++] = place;
    else
        walk->steps[walk->depth++] = (struct step){place, list};
}

static void walk_on(struct walk *walk)
{
    while (walk->depth > 0) {
        struct step *step = &walk->steps[walk->depth - 1];
        uint32_t to = edges_to[step->next++];
        if (to == EDGES_END)
            walk->order[walk->done++] = walk->steps[--walk->depth].place;
        else if ((census.marks[to] & MARK_CLASS) == LEAK_UNSEEN)
            begin(walk, to);
    }
}

static void walk_from(const struct cell *cell, void *context)
{
    if (census_class(cell) != LEAK_UNSEEN)
        return;
    begin(context, (uint32_t)cell->place);
    walk_on(context);
}

static int find_in_cycles(struct fold *fold)
{
    if (area_need(&steps_area, fold->left * sizeof(struct step)) != 0 ||
        area_need(&order_area, fold->left * sizeof(uint32_t)) != 0)
        return -ENOMEM;
    struct walk walk = {.steps = (struct step *)steps_area.start, .order = (uint32_t *)order_area.start};
    census_each_like(MARK_CLASS, LEAK_UNSEEN, walk_from, &walk);
    while (walk.done > 0) {
        uint32_t place = walk.order[--walk.done];
        if ((census.marks[place] & MARK_CLASS) == LEAK_FINISHED)
            fold_under(place, fold);
    }
    return 0;
}

int components_find(size_t count)
{
    head_count = 0;
    if (count == 0)
        return 0;
    if (census.places >= UINT32_MAX || area_need(&heads_area, count * sizeof(struct head)) != 0 ||
        area_need(&queue_area, (count + LISTS_AHEAD + 1) * sizeof(uint32_t)) != 0 || edges_find() != 0)
        return -ENOMEM;
    struct fold fold = {.left = count, .queue = (uint32_t *)queue_area.start};
    census_each_like(MARK_CLASS | MARK_HELD, LEAK_UNSEEN, fold_unheld, &fold);
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
    edges_drop();
    area_trim(&queue_area, 0);
    area_trim(&steps_area, 0);
    area_trim(&order_area, 0);
    area_trim(&heads_area, 0);
}
