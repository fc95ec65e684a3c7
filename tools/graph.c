/*
 * tools/graph: the shortest way from a root to a block, and what it holds alone.
 *
 * The first walk goes in breadth from all roots and notes for each block where it was found first. The second finds out
 * which blocks on that way can't be gone around: it starts at the roots, stops at blocks of the way, and notes the
 * furthest one it has met; then goes on from the first block of the way, and so on. If all that is reached without
 * passing through block i leads no further than to i itself, then i dominates what comes behind. Every block is visited
 * once, the one asked for is never passed, so that what was not visited is held by it alone.
 */
#include "tools/graph.h"

#include "base/bits.h"
#include "base/image.h"
#include "heap/span.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ADDRESS_BITS = 48, HOLDERS_MAX = 8 };

#define ADDRESS_MASK (((uintptr_t)1 << ADDRESS_BITS) - 1)

struct root {
    struct root_place place;
    uintptr_t value;
    unsigned rank;
};

/*
 * By place, that is, as far from the start of the metadata as the block's state byte or record is. A parent below
 * heap_start is the number of a root, plus one.
 */
struct walk {
    uintptr_t heap_start;
    size_t heap_bytes;
    uintptr_t metadata_start;
    size_t metadata_bytes;
    uintptr_t *parents;
    uintptr_t *queue; /* starts of blocks, as many as there are at most */
    size_t queue_head, queue_tail, queue_limit;
    struct root *roots;
    size_t root_count;
    graph_rank *rank;
    int result;
    size_t furthest; /* of the second walk: of the way's blocks the last that was met, plus one */
};

/* ---- blocks ---- */

static size_t place_of(const struct walk *walk, const struct block *block)
{
    const struct unit *unit = &heap_layout.units[block->span->first_unit];
    uintptr_t where = unit->kind == UNIT_LARGE ? (uintptr_t)block->span : (uintptr_t)block->span->states + block->index;
    return where - walk->metadata_start;
}

/* Chunks of arenas hold blocks, too, and are held; so they count here. */
static bool find(uintptr_t address, struct block *block_out)
{
    struct block block;
    if (!lookup_block((const void *)address, &block) || !slot_is_allocated(block.state))
        return false;
    *block_out = block;
    return true;
}

bool graph_block_at(uintptr_t address, struct block *block_out)
{
    return find(address, block_out);
}

static bool find_held(const struct walk *walk, uintptr_t word, struct block *block_out)
{
    size_t offset = word - walk->heap_start;
    if (offset > walk->heap_bytes)
        return false;
    if (offset < walk->heap_bytes && find(word, block_out))
        return true;
    return class_rule.bias != 0 && offset != 0 && find(word - 1, block_out) &&
           block_out->start + block_out->size_bytes == word;
}

typedef void meet(struct walk *walk, const struct block *block, size_t offset, uintptr_t word, void *context);

static void scan(struct walk *walk, const void *start, size_t size_bytes, unsigned step_bytes, meet *visit, void *context)
{
    const char *bytes = start;
    for (size_t offset = 0; offset + sizeof(uintptr_t) <= size_bytes; offset += step_bytes) {
        uintptr_t word;
        struct block block;
        memcpy(&word, bytes + offset, sizeof word);
        word &= ADDRESS_MASK;
        if (word - walk->heap_start <= walk->heap_bytes && find_held(walk, word, &block))
            visit(walk, &block, offset, word, context);
    }
}

static void scan_block(struct walk *walk, const struct block *block, meet *visit, void *context)
{
    if (slot_kind(block->state) != SLOT_LEAF)
        scan(walk, (const void *)block->start, block->size_bytes, 4, visit, context);
}

/* ---- memory ---- */

static void *take_room(size_t size_bytes)
{
    void *room = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return room == MAP_FAILED ? NULL : room;
}

static size_t parents_bytes(const struct walk *walk)
{
    return (walk->metadata_bytes + 1) * sizeof *walk->parents;
}

static size_t count_slots(void)
{
    size_t count = 1;
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count))
        count += span->slot_count;
    return count;
}

static int begin(struct walk *walk, graph_rank *rank)
{
    *walk = (struct walk){
        .heap_start = heap_layout.slots_start,
        .heap_bytes = atomic_load(&heap_layout.limit_bytes),
        .metadata_start = image_now->metadata_start,
        .metadata_bytes = atomic_load(&image_now->metadata_used_bytes),
        .rank = rank,
    };
    walk->queue_limit = count_slots();
    walk->parents = take_room(parents_bytes(walk));
    walk->queue = take_room(walk->queue_limit * sizeof *walk->queue);
    return walk->parents != NULL && walk->queue != NULL ? 0 : -ENOMEM;
}

static void end(struct walk *walk)
{
    if (walk->parents != NULL)
        munmap(walk->parents, parents_bytes(walk));
    if (walk->queue != NULL)
        munmap(walk->queue, walk->queue_limit * sizeof *walk->queue);
    free(walk->roots);
}

static void enqueue(struct walk *walk, const struct block *block)
{
    if (walk->queue_tail < walk->queue_limit)
        walk->queue[walk->queue_tail++] = block->start;
}

/* ---- the first walk ---- */

static int add_root(struct walk *walk, struct root root)
{
    size_t count = walk->root_count;
    if ((count & (count + 1)) == 0) {
        struct root *roots = realloc(walk->roots, (2 * count + 1) * sizeof *roots);
        if (roots == NULL)
            return -ENOMEM;
        walk->roots = roots;
    }
    walk->roots[walk->root_count++] = root;
    return 0;
}

/* Of several roots of a block the best one is kept. */
static void meet_root(struct walk *walk, const struct block *block, size_t offset, uintptr_t word, void *context)
{
    const char *start = context;
    uintptr_t *parent = &walk->parents[place_of(walk, block)];
    struct root root = {examine_place(start + offset), word, 0};
    root.rank = walk->rank(root.place);
    if (*parent != 0) {
        if (root.rank < walk->roots[*parent - 1].rank)
            walk->roots[*parent - 1] = root;
        return;
    }
    if (walk->result == 0)
        walk->result = add_root(walk, root);
    if (walk->result != 0)
        return;
    *parent = walk->root_count;
    enqueue(walk, block);
}

static void first_range(const void *start, const void *limit, unsigned step_bytes, void *context)
{
    scan(context, start, (size_t)((const char *)limit - (const char *)start), step_bytes, meet_root, (void *)(uintptr_t)start);
}

static void meet_first(struct walk *walk, const struct block *block, size_t offset, uintptr_t word, void *context)
{
    const struct block *from = context;
    uintptr_t *parent = &walk->parents[place_of(walk, block)];
    (void)offset;
    (void)word;
    if (*parent != 0)
        return;
    *parent = from->start;
    enqueue(walk, block);
}

static void walk_first(struct walk *walk, const struct block *wanted)
{
    roots_scan(first_range, walk);
    const uintptr_t *found = &walk->parents[place_of(walk, wanted)];
    while (walk->queue_head < walk->queue_tail && *found == 0) {
        struct block block;
        if (find(walk->queue[walk->queue_head++], &block))
            scan_block(walk, &block, meet_first, &block);
    }
}

/* ---- the way ---- */

struct link {
    uintptr_t wanted;
    struct graph_step *step;
    bool found;
};

/* An address of the block's start says more than one of its inside. */
static void meet_link(struct walk *walk, const struct block *block, size_t offset, uintptr_t word, void *context)
{
    struct link *link = context;
    (void)walk;
    if (block->start != link->wanted || (link->found && (link->step->value == link->wanted || word != link->wanted)))
        return;
    link->step->offset = offset;
    link->step->value = word;
    link->found = true;
}

static void find_link(struct walk *walk, struct graph_step *step, uintptr_t wanted)
{
    struct link link = {.wanted = wanted, .step = step};
    scan_block(walk, &step->block, meet_link, &link);
}

static int make_way(struct walk *walk, const struct block *wanted, struct graph_answer *answer)
{
    struct block block = *wanted;
    size_t count = 1;
    uintptr_t parent;
    while ((parent = walk->parents[place_of(walk, &block)]) >= walk->heap_start && find(parent, &block))
        count++;
    answer->steps = calloc(count, sizeof *answer->steps);
    if (answer->steps == NULL)
        return -ENOMEM;
    answer->step_count = count;
    block = *wanted;
    for (size_t i = count; i-- > 0;) {
        answer->steps[i].block = block;
        if (i + 1 < count)
            find_link(walk, &answer->steps[i], answer->steps[i + 1].block.start);
        parent = walk->parents[place_of(walk, &block)];
        if (parent >= walk->heap_start)
            find(parent, &block);
    }
    answer->root = walk->roots[parent - 1].place;
    answer->root_value = walk->roots[parent - 1].value;
    answer->is_reachable = true;
    return 0;
}

/* ---- the second walk ---- */

/* In `parents`: 0 not met, 1 visited; above that a block of the way, by its index plus one. */
enum { VISITED = 1, ON_WAY = VISITED };

static void meet_again(struct walk *walk, const struct block *block, size_t offset, uintptr_t word, void *context)
{
    uintptr_t *mark = &walk->parents[place_of(walk, block)];
    (void)offset;
    (void)word;
    (void)context;
    if (*mark > ON_WAY && *mark - ON_WAY > walk->furthest)
        walk->furthest = *mark - ON_WAY;
    if (*mark != 0)
        return;
    *mark = VISITED;
    enqueue(walk, block);
}

static void second_range(const void *start, const void *limit, unsigned step_bytes, void *context)
{
    scan(context, start, (size_t)((const char *)limit - (const char *)start), step_bytes, meet_again, NULL);
}

static void visit_queue(struct walk *walk, struct graph_amount *amount)
{
    while (walk->queue_head < walk->queue_tail) {
        struct block block;
        if (!find(walk->queue[walk->queue_head++], &block))
            continue;
        if (amount != NULL) {
            amount->blocks++;
            amount->bytes += block.size_bytes;
        }
        scan_block(walk, &block, meet_again, NULL);
    }
}

static void walk_second(struct walk *walk, struct graph_answer *answer)
{
    madvise(walk->parents, parents_bytes(walk), MADV_DONTNEED);
    walk->queue_head = walk->queue_tail = 0;
    for (size_t i = 0; i < answer->step_count; i++)
        walk->parents[place_of(walk, &answer->steps[i].block)] = ON_WAY + i + 1;
    walk->furthest = 0;
    answer->dominator = answer->step_count;
    roots_scan(second_range, walk);
    visit_queue(walk, NULL);
    for (size_t i = 0; i + 1 < answer->step_count; i++) {
        if (walk->furthest == i + 1)
            answer->dominator = i;
        scan_block(walk, &answer->steps[i].block, meet_again, NULL);
        visit_queue(walk, NULL);
    }
    enqueue(walk, &answer->steps[answer->step_count - 1].block);
    visit_queue(walk, &answer->freed);
}

/* ---- of a block that nothing holds ---- */

struct search {
    struct graph_answer *answer;
    const struct block *wanted;
    const struct block *from;
};

static void meet_holder(struct walk *walk, const struct block *block, size_t offset, uintptr_t word, void *context)
{
    const struct search *search = context;
    struct graph_answer *answer = search->answer;
    (void)walk;
    if (block->start != search->wanted->start || search->from->start == block->start || answer->holder_count == HOLDERS_MAX)
        return;
    if (answer->holder_count > 0 && answer->holders[answer->holder_count - 1].block.start == search->from->start)
        return;
    answer->holders[answer->holder_count++] = (struct graph_step){*search->from, offset, word};
}

static void search_span(struct walk *walk, const struct span *span, struct search *search)
{
    for (uint32_t i = 0; i < span->slot_count && search->answer->holder_count < HOLDERS_MAX; i++) {
        struct block from;
        if (!find(span_slot(span, i), &from))
            continue;
        search->from = &from;
        scan_block(walk, &from, meet_holder, search);
    }
}

static int find_holders(struct walk *walk, const struct block *wanted, struct graph_answer *answer)
{
    struct search search = {.answer = answer, .wanted = wanted};
    answer->holders = calloc(HOLDERS_MAX, sizeof *answer->holders);
    if (answer->holders == NULL)
        return -ENOMEM;
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count))
        search_span(walk, span, &search);
    return 0;
}

int graph_ask(const struct block *block, graph_rank *rank, struct graph_answer *answer_out)
{
    struct walk walk;
    struct graph_answer answer = {0};
    int result = begin(&walk, rank);
    if (result == 0) {
        walk_first(&walk, block);
        result = walk.result;
    }
    if (result == 0 && walk.parents[place_of(&walk, block)] != 0) {
        result = make_way(&walk, block, &answer);
        if (result == 0)
            walk_second(&walk, &answer);
    } else if (result == 0) {
        result = find_holders(&walk, block, &answer);
    }
    end(&walk);
    if (result == 0)
        *answer_out = answer;
    else
        graph_answer_free(&answer);
    return result;
}

void graph_answer_free(struct graph_answer *answer)
{
    free(answer->steps);
    free(answer->holders);
    *answer = (struct graph_answer){0};
}
