/*
 * leak/classify: says of every block who holds it.
 *
 * Every block is read once. From the roots by whole addresses; what an inner address was found for waits, until it is
 * known that nothing better comes. Then what the kernel holds, what the program wants ignored, what waits; and what is
 * left is lost, and goes to leak/components.
 *
 * Uses base, heap, gc/area. Locks: none; see classify.h.
 */
#include "leak/classify.h"

#include "base/image.h"
#include "gc/area.h"
#include "leak/census.h"
#include "leak/flood.h"
#include "leak/inner.h"
#include "leak/stacks.h"

#include <errno.h>
#include <string.h>

enum {
    KERNEL_WORDS_MAX = 1 << 20,
    DRAIN_BLOCKS = 4096,
    TAG_MASK = 7, /* lists and trees keep colours and the like in the lowest bits of their addresses */
};

/* What words found now are good for. */
struct phase {
    enum leak_class class; /* of what they hold */
    bool inner_holds;      /* any address does */
    bool in_block;         /* they are in a block, not in a root */
};

static struct area pending_area;
static struct area kernel_area;
static struct flood flood;
static size_t kernel_count;
static bool has_inner; /* some block has been LEAK_INNER */

/* ---- from words to blocks ---- */

static void take(const struct cell *cell, enum leak_class class)
{
    census_set_class(cell, class);
    if (!census_is_leaf(cell))
        flood_push(&flood, cell);
}

static bool holds(const struct cell *cell, uintptr_t address, const struct phase *phase)
{
    size_t offset = address - cell->start;
    return offset == 0 || phase->inner_holds || (phase->in_block && offset <= TAG_MASK) || inner_holds(cell, address);
}

static void meet_cell(const struct cell *cell, uintptr_t address, const struct phase *phase)
{
    enum leak_class class = census_class(cell);
    if (LIKELY(class != LEAK_UNSEEN && class != LEAK_INNER))
        return;
    if (holds(cell, address, phase)) {
        take(cell, phase->class);
    } else {
        census_set_class(cell, LEAK_INNER);
        has_inner = true;
    }
}

/* A block that fills its slot may be pointed to behind its end; if another block starts there, that is what is meant. */
static void meet_end(uintptr_t address, const struct phase *phase)
{
    struct cell cell;
    if (address - 1 - census.heap_start < census.heap_bytes && census_find(address - 1, &cell) &&
        cell.start + cell.size_bytes == address)
        meet_cell(&cell, address - 1, phase);
}

static ALWAYS_INLINE void resolve(struct flood *own, const struct flood_word *word, void *context)
{
    const struct phase *phase = context;
    (void)own;
    if (LIKELY(word->cell.span != NULL) && census_class(&word->cell) != LEAK_NONE)
        meet_cell(&word->cell, word->address, phase);
    else if (census.slots_fill && (word->cell.span == NULL || word->cell.start == word->address))
        meet_end(word->address, phase);
}

NOINLINE static void drain(enum leak_class class, bool inner_counts)
{
    struct phase phase = {class, inner_counts, true};
    flood_run(&flood, resolve, &phase);
}

static void meet(uintptr_t address, struct phase phase)
{
    flood_meet(&flood, address, resolve, &phase);
    flood_settle(&flood, resolve, &phase);
}

/* ---- roots ---- */

int classify_start(const struct classify_source *source)
{
    kernel_count = 0;
    has_inner = false;
    if (census_start(source) != 0 || area_need(&pending_area, (census.blocks + 1) * sizeof(struct flood_work)) != 0 ||
        area_need(&kernel_area, KERNEL_WORDS_MAX * sizeof(uintptr_t)) != 0)
        return -ENOMEM;
    memset(&flood, 0, sizeof flood);
    flood.pending = (struct flood_work *)pending_area.start;
    return 0;
}

void classify_leave_out(const struct roots_part *parts, size_t count)
{
    census.unreadable = parts;
    census.unreadable_count = count;
}

/* False when there are too many, and this one is to count as the program's. */
static bool note_kernels(uintptr_t word)
{
    if (kernel_count == KERNEL_WORDS_MAX)
        return false;
    ((uintptr_t *)kernel_area.start)[kernel_count++] = word;
    return true;
}

void classify_roots(const void *start, const void *end, unsigned step_bytes, bool is_kernels)
{
    struct phase phase = {LEAK_REACHABLE, false, false};
    census.distances = roots_hold_distances();
    uintptr_t from = (uintptr_t)start;
    uintptr_t limit = (uintptr_t)end;
    for (unsigned shift = 0; shift < (step_bytes == 1 ? 4u : 1u) && from + shift < limit; shift++) {
        size_t next = 0;
        uintptr_t word;
        while (census_next_word(from + shift, limit - from - shift, &next, &word)) {
            if (step_bytes == 8 && (next - 4) % 8 != 0)
                continue;
            if (!is_kernels || !note_kernels(word))
                flood_meet(&flood, word, resolve, &phase);
        }
    }
    flood_settle(&flood, resolve, &phase);
    if (flood.count > DRAIN_BLOCKS)
        drain(LEAK_REACHABLE, false);
}

/* ---- what is not held by roots ---- */

/* What the loader has for itself: it keeps some of it by inner addresses, and some where nobody looks. */
static bool is_loaders(const struct leak_tables *tables, uint32_t stack_id)
{
    static const char loader[] = "/ld-linux";
    const struct stack *stack = stacks_get(tables->stacks, stack_id);
    uint32_t module = stack != NULL ? (uint32_t)(stack->frames[0] >> FRAME_MODULE_SHIFT) : 0;
    return module != 0 && module < MODULE_COUNT_MAX && strstr(tables->modules->modules[module].path, loader) != NULL;
}

/* Neighbours mostly come from one place. */
struct exempt {
    const struct leak_tables *tables;
    uint32_t stack; /* the last one that was asked about */
    bool is_loaders;
};

static void take_exempt(const struct cell *cell, void *context)
{
    struct exempt *exempt = context;
    enum leak_class class = census_class(cell);
    if (class != LEAK_UNSEEN && class != LEAK_INNER)
        return;
    struct block_record record = census_record(cell);
    if (record_is_ignored(&record)) {
        take(cell, LEAK_SUPPRESSED);
        drain(LEAK_SUPPRESSED, false);
        return;
    }
    if (record.stack != exempt->stack) {
        exempt->stack = record.stack;
        exempt->is_loaders = record.stack != 0 && is_loaders(exempt->tables, record.stack);
    }
    if (exempt->is_loaders) {
        take(cell, LEAK_REACHABLE);
        drain(LEAK_REACHABLE, false);
    }
}

static void take_inner(const struct cell *cell, void *context)
{
    (void)context;
    if (census_class(cell) == LEAK_INNER)
        take(cell, LEAK_POSSIBLE);
}

static void count_lost(const struct cell *cell, void *context)
{
    size_t *count = context;
    *count += census_class(cell) == LEAK_UNSEEN;
}

int classify_finish(void)
{
    drain(LEAK_REACHABLE, false);
    for (size_t i = 0; i < kernel_count; i++)
        meet(((uintptr_t *)kernel_area.start)[i], (struct phase){LEAK_KERNEL, true, false});
    drain(LEAK_KERNEL, false);
    struct exempt exempt = {.tables = image_now->leak};
    if (exempt.tables != NULL)
        census_each(take_exempt, &exempt);
    if (has_inner)
        census_each(take_inner, NULL);
    drain(LEAK_POSSIBLE, true);
    size_t lost = 0;
    census_each(count_lost, &lost);
    return components_find(lost);
}

/* ---- what was found ---- */

struct each {
    void (*visit)(const struct classified *block, void *context);
    void *context;
};

static void visit_cell(const struct cell *cell, void *context)
{
    const struct each *each = context;
    struct classified block = {
        .class = census_class(cell),
        .start = cell->start,
        .slot_bytes = cell->size_bytes,
        .birth = census_birth(cell),
        .record = census_record(cell),
        .type = census_type(cell),
    };
    census_size(cell, &block.record, &block.size_bytes);
    if (block.class == LEAK_INDIRECT || block.class == LEAK_DEFINITE)
        block.head = census.numbers[cell->place];
    each->visit(&block, each->context);
}

void classify_each(void (*visit)(const struct classified *block, void *context), void *context)
{
    struct each each = {visit, context};
    census_each(visit_cell, &each);
}
