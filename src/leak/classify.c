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
#include "leak/census_each.h"
#include "leak/flood.h"
#include "leak/inner.h"
#include "leak/stacks.h"

#include <errno.h>
#include <string.h>

enum {
    KERNEL_WORDS_MAX = 1 << 20,
    TAG_MASK = 7, /* lists and trees keep colours and the like in the lowest bits of their addresses */
};

static struct area kernel_area;
static size_t kernel_count;
static size_t held_count; /* blocks that have a class for good */

/* Whole addresses hold blocks; in blocks they may have a tag in their lowest bits. */
static void aim_at(enum leak_class class, size_t inner_bytes)
{
    flood_aim(&(struct flood_aim){.class = class, .inner_bytes = inner_bytes, .ends = census.slots_fill});
}

static void drain(enum leak_class class, size_t inner_bytes)
{
    aim_at(class, inner_bytes);
    flood_run();
    held_count += flood_taken();
}

/* ---- roots ---- */

int classify_start(const struct classify_source *source)
{
    kernel_count = 0;
    held_count = 0;
    if (census_start(source) != 0 || area_need(&kernel_area, KERNEL_WORDS_MAX * sizeof(uintptr_t)) != 0)
        return -ENOMEM;
    return flood_start();
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
    census.distances = roots_hold_distances();
    uintptr_t from = (uintptr_t)start;
    uintptr_t limit = (uintptr_t)end;
    aim_at(LEAK_REACHABLE, 0);
    for (unsigned shift = 0; shift < (step_bytes == 1 ? 4u : 1u) && from + shift < limit; shift++) {
        size_t next = 0;
        uintptr_t word;
        while (census_next_word(from + shift, limit - from - shift, &next, &word)) {
            if (step_bytes == 8 && (next - 4) % 8 != 0)
                continue;
            if (!is_kernels || !note_kernels(word))
                flood_word(word);
        }
    }
    held_count += flood_taken();
}

/* ---- what is not held by roots ---- */

/* What the loader has for itself: it keeps some of it by inner addresses, and some where nobody looks. */
static bool is_loaders(const struct leak_tables *tables, uint32_t stack_id)
{
    static const char loader[] = "/ld-linux";
    static struct stack frames;
    const struct stack *stack = stacks_get(tables->stacks, stack_id, &frames);
    uint32_t module = stack != NULL ? (uint32_t)(stack->frames[0] >> FRAME_MODULE_SHIFT) : 0;
    return module != 0 && module < MODULE_COUNT_MAX && strstr(tables->modules->modules[module].path, loader) != NULL;
}

/* Neighbours mostly come from one place. */
struct exempt {
    const struct leak_tables *tables;
    uint32_t stack; /* the last one that was asked about */
    bool is_loaders;
};

static void take_for(const struct cell *cell, enum leak_class class)
{
    aim_at(class, TAG_MASK);
    flood_take(cell);
    flood_run();
    held_count += flood_taken();
}

static void take_exempt(const struct cell *cell, void *context)
{
    struct exempt *exempt = context;
    if (!mark_is_open(census.marks[cell->place]))
        return;
    struct block_record record = census_record(cell);
    if (record_is_ignored(&record)) {
        take_for(cell, LEAK_SUPPRESSED);
        return;
    }
    if (record.stack != exempt->stack) {
        exempt->stack = record.stack;
        exempt->is_loaders = record.stack != 0 && is_loaders(exempt->tables, record.stack);
    }
    if (exempt->is_loaders)
        take_for(cell, LEAK_REACHABLE);
}

/* What is left, mostly nothing. */
static void find_exempt(void)
{
    struct exempt exempt = {.tables = image_now->leak};
    if (exempt.tables == NULL || held_count == census.blocks)
        return;
    census_each_like(MARK_UNHELD, LEAK_UNSEEN, take_exempt, &exempt);
}

static void take_inner(const struct cell *cell, void *context)
{
    (void)context;
    if (census_class(cell) == LEAK_INNER)
        flood_take(cell);
}

static void find_possible(void)
{
    aim_at(LEAK_POSSIBLE, SIZE_MAX);
    if (flood_has_inner())
        census_each_like(MARK_CLASS, LEAK_INNER, take_inner, NULL);
    flood_run();
    held_count += flood_taken();
}

/* Any address that the kernel has holds. */
static void find_kernels(void)
{
    aim_at(LEAK_KERNEL, SIZE_MAX);
    for (size_t i = 0; i < kernel_count; i++)
        flood_word(((uintptr_t *)kernel_area.start)[i]);
    held_count += flood_taken();
    drain(LEAK_KERNEL, TAG_MASK);
}

int classify_finish(void)
{
    drain(LEAK_REACHABLE, TAG_MASK);
    find_kernels();
    find_exempt();
    find_possible();
    return components_find(census.blocks - held_count);
}

/* ---- what was found ---- */

/* Slots of one span have much in common. */
struct columns {
    const struct block_record *records;
    const uint32_t *types;
};

static struct columns columns_of(const struct span *span)
{
    return (struct columns){__atomic_load_n(&span->columns[COLUMN_STACK], __ATOMIC_ACQUIRE),
                            __atomic_load_n(&span->columns[COLUMN_TYPE], __ATOMIC_ACQUIRE)};
}

static ALWAYS_INLINE struct classified classified_of(const struct cell *cell, struct columns columns)
{
    struct classified block = {
        .class = census_class(cell),
        .start = cell->start,
        .slot_bytes = cell->size_bytes,
        .birth = census_birth(cell),
    };
    if (columns.records != NULL)
        block.record = columns.records[cell->index];
    if (columns.types != NULL)
        block.type = columns.types[cell->index];
    census_size(cell, &block.record, &block.size_bytes);
    if (block.class == LEAK_INDIRECT || block.class == LEAK_DEFINITE)
        block.head = census.numbers[cell->place];
    return block;
}

struct each {
    void (*visit)(const struct classified *block, void *context);
    void *context;
    uint32_t but; /* classes, a bit each */
    struct columns columns;
};

static ALWAYS_INLINE void visit_cell(const struct cell *cell, void *context)
{
    const struct each *each = context;
    if ((each->but >> census_class(cell) & 1) != 0)
        return;
    struct classified block = classified_of(cell, each->columns);
    each->visit(&block, each->context);
}

static ALWAYS_INLINE void visit_all(uint8_t mask, uint8_t value, struct each each)
{
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count)) {
        each.columns = columns_of(span);
        census_each_slot_like(span, mask, value, visit_cell, &each);
    }
}

void classify_each_but(uint32_t classes, void (*visit)(const struct classified *block, void *context), void *context)
{
    visit_all(MARK_BLOCK, MARK_BLOCK, (struct each){visit, context, classes, {NULL, NULL}});
}

void classify_each_of(enum leak_class class, void (*visit)(const struct classified *block, void *context), void *context)
{
    visit_all(MARK_CLASS, (uint8_t)class, (struct each){visit, context, 0, {NULL, NULL}});
}

/* ---- span by span ---- */

struct sum {
    const struct block_record *records;
    uint64_t blocks;
    uint64_t bytes;
};

static ALWAYS_INLINE void add_cell(const struct cell *cell, void *context)
{
    struct sum *sum = context;
    size_t size_bytes = cell->size_bytes;
    if (sum->records != NULL)
        census_size(cell, &sum->records[cell->index], &size_bytes);
    sum->blocks++;
    sum->bytes += size_bytes;
}

void classify_each_span(enum leak_class class, void (*visit)(const struct classified_span *span, void *context), void *context)
{
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count)) {
        struct sum sum = {.records = columns_of(span).records};
        census_each_slot_like(span, MARK_CLASS, (uint8_t)class, add_cell, &sum);
        if (sum.blocks != 0)
            visit(&(struct classified_span){span->slot_bytes, sum.blocks, sum.bytes}, context);
    }
}
