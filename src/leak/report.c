/*
 * leak/report: what a classification found, added up by where blocks come from.
 *
 * Two passes over the blocks: first the records of all but what hangs under others (unless that gets records, too); then what
 * hangs under each, since a head may lie behind its own. Time in proportion to the number of blocks.
 *
 * Uses os, base, heap. Locks: none.
 */
#include "leak/report.h"

#include "base/compiler.h"
#include "base/image.h"
#include "heap/typed.h"
#include "leak/healed.h"
#include "leak/lives.h"
#include "leak/sample.h"
#include "leak/stacks.h"

#include <stdatomic.h>
#include <string.h>

enum { HEADS_FIRST = 4096 };

const char *const leak_class_names[LEAK_CLASSES] = {
    [LEAK_REACHABLE] = "reachable", [LEAK_KERNEL] = "kernel",     [LEAK_SUPPRESSED] = "suppressed",
    [LEAK_POSSIBLE] = "possible",   [LEAK_INDIRECT] = "indirect", [LEAK_DEFINITE] = "definite",
    [LEAK_RECLAIMED] = "reclaimed",
};

static const struct leak_tables *tables(void)
{
    return image_now->leak;
}

static void add(struct leak_counts *counts, uint64_t blocks, uint64_t bytes)
{
    counts->blocks += blocks;
    counts->bytes += bytes;
}

/* ---- hash tables ---- */

static uint32_t mix(uint64_t a, uint64_t b)
{
    uint64_t hash = (a * UINT64_C(0x9e3779b97f4a7c15)) ^ (b * UINT64_C(0xd1342543de82ef95));
    return (uint32_t)(hash >> 32 ^ hash >> 17);
}

static uint32_t hash_of_record(const struct report_record *record)
{
    return mix((uint64_t)record->stack << 32 | record->type,
               (uint64_t)record->thread << 16 | (uint64_t)record->class << 8 | record->is_inherited);
}

/* Twice as many lists. What was there before is linked anew by the caller. Returns 0 or -ENOMEM. */
static int grow_heads(struct grown *heads, uint32_t *mask)
{
    uint32_t count = *mask == 0 ? HEADS_FIRST : 2 * (*mask + 1);
    int result = grown_need(heads, count * sizeof(uint32_t));
    if (result != 0)
        return result;
    memset(heads->start, 0, count * sizeof(uint32_t));
    *mask = count - 1;
    return 0;
}

static void link_record(struct report *report, uint32_t number)
{
    struct report_record *record = &report_records(report)[number];
    uint32_t *head = (uint32_t *)report->record_heads.start + (hash_of_record(record) & report->record_mask);
    record->next = *head;
    *head = number + 1;
}

static int make_room_for_record(struct report *report)
{
    int result = grown_need(&report->records, (report->record_count + 1) * sizeof(struct report_record));
    if (result != 0 || report->record_count < report->record_mask)
        return result;
    result = grow_heads(&report->record_heads, &report->record_mask);
    for (uint32_t i = 0; result == 0 && i < report->record_count; i++)
        link_record(report, i);
    return result;
}

static bool has_same_key(const struct report_record *a, const struct report_record *b)
{
    return a->stack == b->stack && a->type == b->type && a->thread == b->thread && a->class == b->class &&
           a->is_inherited == b->is_inherited;
}

/* The number of the record with this key, which is made if need be. UINT32_MAX without memory. */
static uint32_t find_record(struct report *report, const struct report_record *key)
{
    if (report->record_mask != 0) {
        uint32_t next = ((uint32_t *)report->record_heads.start)[hash_of_record(key) & report->record_mask];
        for (; next != 0; next = report_records(report)[next - 1].next)
            if (has_same_key(&report_records(report)[next - 1], key))
                return next - 1;
    }
    int result = make_room_for_record(report);
    if (result != 0) {
        report->result = result;
        return UINT32_MAX;
    }
    uint32_t number = report->record_count++;
    report_records(report)[number] = *key;
    link_record(report, number);
    return number;
}

/* Neighbours mostly come from one place. */
static uint32_t record_for(struct report *report, const struct report_record *key)
{
    uint32_t last = report->last_record;
    if (last >= report->record_count || !has_same_key(&report_records(report)[last], key))
        last = report->last_record = find_record(report, key);
    return last;
}

static uint32_t hash_of_site(uint32_t record, uint32_t stack, uint32_t type)
{
    return mix((uint64_t)record << 32 | type, stack);
}

static void link_site(struct report *report, uint32_t number)
{
    struct report_site *site = &report_sites(report)[number];
    uint32_t *head = (uint32_t *)report->site_heads.start + (hash_of_site(site->record, site->stack, site->type) & report->site_mask);
    site->next_in_hash = *head;
    *head = number + 1;
}

static int make_room_for_site(struct report *report)
{
    int result = grown_need(&report->sites, (report->site_count + 1) * sizeof(struct report_site));
    if (result != 0 || report->site_count < report->site_mask)
        return result;
    result = grow_heads(&report->site_heads, &report->site_mask);
    for (uint32_t i = 0; result == 0 && i < report->site_count; i++)
        link_site(report, i);
    return result;
}

static struct report_site *find_site(struct report *report, uint32_t record, uint32_t stack, uint32_t type)
{
    if (report->site_mask != 0) {
        uint32_t next = ((uint32_t *)report->site_heads.start)[hash_of_site(record, stack, type) & report->site_mask];
        for (; next != 0; next = report_sites(report)[next - 1].next_in_hash) {
            struct report_site *site = &report_sites(report)[next - 1];
            if (site->record == record && site->stack == stack && site->type == type)
                return site;
        }
    }
    int result = make_room_for_site(report);
    if (result != 0) {
        report->result = result;
        return NULL;
    }
    uint32_t number = report->site_count++;
    struct report_site *site = &report_sites(report)[number];
    *site = (struct report_site){.record = record, .stack = stack, .type = type};
    site->next_in_record = report_records(report)[record].first_site;
    report_records(report)[record].first_site = number + 1;
    link_site(report, number);
    return site;
}

/* Neighbours mostly hang under one head, and come from one place. */
static struct report_site *site_for(struct report *report, uint32_t record, uint32_t stack, uint32_t type)
{
    struct report_site *last = report->last_site < report->site_count ? &report_sites(report)[report->last_site] : NULL;
    if (last == NULL || last->record != record || last->stack != stack || last->type != type) {
        last = find_site(report, record, stack, type);
        report->last_site = last != NULL ? (uint32_t)(last - report_sites(report)) : 0;
    }
    return last;
}

/* ---- blocks into records ---- */

/* A thread of an ancestor's allocated it. */
static bool is_inherited(uint16_t thread)
{
    return thread != 0 && thread < THREAD_COUNT_MAX && tables()->threads->threads[thread].forks != image_now->fork_count;
}

static void extend(struct report_record *record, const struct classified *block)
{
    bool is_first = record->own.blocks == 0;
    add(&record->own, 1, block->size_bytes);
    if (is_first)
        record->example = block->start;
    if (is_first || block->size_bytes < record->size_min)
        record->size_min = block->size_bytes;
    if (block->size_bytes > record->size_max)
        record->size_max = block->size_bytes;
    if (!record_is_set(&block->record))
        return;
    if (record->oldest_ms == 0 || block->record.time_ms < record->oldest_ms)
        record->oldest_ms = block->record.time_ms;
    if (block->record.time_ms > record->newest_ms)
        record->newest_ms = block->record.time_ms;
    if (tables()->sample_bytes != 0 && record->stack != 0) {
        double weight = sample_weight(block->size_bytes, tables()->sample_bytes);
        record->weight_blocks += weight;
        record->weight_bytes += weight * (double)block->size_bytes;
        record->variance_bytes += weight * (weight - 1) * (double)block->size_bytes * (double)block->size_bytes;
    }
}

static void count_size(struct report *report, size_t slot_bytes, uint64_t blocks)
{
    size_t i = report->last_size;
    if (i < report->size_count && report->sizes[i].slot_bytes == slot_bytes) {
        report->sizes[i].blocks += blocks;
        return;
    }
    i = 0;
    while (i < report->size_count && report->sizes[i].slot_bytes != slot_bytes)
        i++;
    if (i == REPORT_SIZES_MAX)
        return;
    if (i == report->size_count)
        report->sizes[report->size_count++] = (struct report_size){slot_bytes, 0};
    report->sizes[i].blocks += blocks;
    report->last_size = i;
}

static bool is_held(enum leak_class class)
{
    return class == LEAK_REACHABLE || class == LEAK_KERNEL;
}

static bool is_counted(const struct report *report, const struct classified *block)
{
    return report->about.births == 0 || (report->about.births >> block->birth & 1) != 0;
}

/* The bulk of most heaps. */
static void add_reachable(const struct classified_span *span, void *context)
{
    struct report *report = context;
    count_size(report, span->slot_bytes, span->blocks);
    add(&report->unrecorded[LEAK_REACHABLE], span->blocks, span->bytes);
}

static void add_block(const struct classified *block, void *context)
{
    struct report *report = context;
    if (!is_counted(report, block))
        return;
    count_size(report, block->slot_bytes, 1);
    if (is_held(block->class) && !report->about.all_blocks) {
        add(&report->unrecorded[block->class], 1, block->size_bytes);
        return;
    }
    struct report_record key = {
        .class = (uint8_t)block->class,
        .stack = record_stack(&block->record),
        .type = block->type,
        .thread = block->record.thread,
        .is_inherited = is_inherited(block->record.thread),
    };
    uint32_t number = record_for(report, &key);
    if (number == UINT32_MAX)
        return;
    struct report_record *record = &report_records(report)[number];
    extend(record, block);
    if (block->class != LEAK_DEFINITE)
        return;
    ((uint32_t *)report->owners.start)[block->head] = number + 1;
    record->is_cycle |= classify_head_is_in_cycle(block->head);
}

static void add_to_head(const struct classified *block, void *context)
{
    struct report *report = context;
    if (report->result != 0 || !is_counted(report, block))
        return;
    if (!report->about.all_blocks)
        count_size(report, block->slot_bytes, 1);
    uint32_t owner = ((const uint32_t *)report->owners.start)[block->head];
    if (owner == 0) { /* its head does not count */
        add(&report->unrecorded[LEAK_INDIRECT], 1, block->size_bytes);
        return;
    }
    uint32_t number = owner - 1;
    add(&report_records(report)[number].indirect, 1, block->size_bytes);
    struct report_site *site = site_for(report, number, record_stack(&block->record), block->type);
    if (site != NULL)
        add(&site->counts, 1, block->size_bytes);
}

/* ---- what was reclaimed ---- */

static void add_healed(struct report *report, const struct healed_site *site)
{
    struct report_record key = {
        .class = LEAK_RECLAIMED,
        .stack = site->stack,
        .thread = site->thread,
        .is_inherited = is_inherited(site->thread),
    };
    uint32_t number = record_for(report, &key);
    if (number == UINT32_MAX)
        return;
    struct report_record *record = &report_records(report)[number];
    record->own = (struct leak_counts){site->blocks, site->bytes};
    record->oldest_ms = site->oldest_ms;
    record->newest_ms = site->newest_ms;
    record->size_min = site->size_min;
    record->size_max = site->size_max;
}

static void add_all_healed(struct report *report)
{
    const struct healed_table *healed = tables() != NULL ? tables()->healed : NULL;
    for (size_t i = 0; healed != NULL && report->about.births == 0 && i < healed->room; i++)
        if (healed->sites[i].is_used)
            add_healed(report, &healed->sites[i]);
}

/* ---- ids ---- */

static uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t count)
{
    for (const unsigned char *byte = bytes; count > 0; byte++, count--)
        hash = (hash ^ *byte) * 16777619u; /* FNV-1a */
    return hash;
}

/* By the files' names, build-ids and offsets, and the type's name: the same wherever things are loaded. */
uint32_t report_id(uint32_t stack_id, uint32_t type_number)
{
    uint32_t hash = 2166136261u;
    static struct stack frames;
    const struct stack *stack = stack_id != 0 ? stacks_get(tables()->stacks, stack_id, &frames) : NULL;
    for (uint32_t i = 0; stack != NULL && i < stack->frame_count; i++) {
        uint64_t number = stack->frames[i] >> FRAME_MODULE_SHIFT;
        uint64_t offset = stack->frames[i] & ((UINT64_C(1) << FRAME_MODULE_SHIFT) - 1);
        if (number == 0 || number >= MODULE_COUNT_MAX)
            continue; /* made at run time: another address each time */
        const struct module *module = &tables()->modules->modules[number];
        const char *name = strrchr(module->path, '/');
        name = name != NULL ? name + 1 : module->path;
        offset -= module->base;
        hash = hash_bytes(hash, name, strlen(name));
        hash = hash_bytes(hash, module->build_id, module->build_id_bytes);
        hash = hash_bytes(hash, &offset, sizeof offset);
    }
    const char *type = typed_name(image_now->types, type_number);
    return hash_bytes(hash, type, strlen(type) + 1);
}

/* ---- estimates ---- */

static uint64_t rounded(double value)
{
    return (uint64_t)(value + 0.5);
}

struct leak_counts report_own(const struct report_record *record)
{
    if (record->weight_blocks <= 0)
        return record->own;
    return (struct leak_counts){rounded(record->weight_blocks), rounded(record->weight_bytes)};
}

/* What hangs under the samples, as often as these stand for a block. */
struct leak_counts report_indirect(const struct report_record *record)
{
    if (record->weight_blocks <= 0)
        return record->indirect;
    double each = record->weight_blocks / (double)record->own.blocks;
    return (struct leak_counts){rounded(each * (double)record->indirect.blocks), rounded(each * (double)record->indirect.bytes)};
}

/* The square root by Newton's method, from above: the core has no mathematics of libc's. */
uint64_t report_error_bytes(const struct report_record *record)
{
    double square = record->variance_bytes;
    if (square < 1)
        return 0;
    double root = square;
    for (double next = (square + 1) / 2; next < root; next = (root + square / root) / 2)
        root = next;
    return rounded(root);
}

/* ---- from outside ---- */

/* Threads of the program, and a collector's, go on while the report is written; but it tells of one moment. */
int report_keep_lives(struct report *report)
{
    const struct life_table *table = tables() != NULL ? tables()->lives : NULL;
    const struct life *life;
    int result = 0;
    for (uint32_t i = 0; table != NULL && result == 0 && (life = lives_get(table, i)) != NULL; i++) {
        result = grown_need(&report->lives, (i + 1) * sizeof *life);
        if (result == 0) {
            memcpy((struct life *)report->lives.start + i, life, sizeof *life);
            report->life_count = i + 1;
        }
    }
    return result;
}

int report_build(struct report *report, const struct report_about *about)
{
    *report = (struct report){.about = *about};
    int result = grown_need(&report->owners, (classify_head_count() + 1) * sizeof(uint32_t));
    if (result != 0)
        return result;
    bool is_bulk = !about->all_blocks && about->births == 0; /* nothing is asked of single blocks that are held */
    if (is_bulk)
        classify_each_span(LEAK_REACHABLE, add_reachable, report);
    uint32_t later = about->all_blocks ? 0 : 1u << LEAK_INDIRECT;
    classify_each_but(later | (is_bulk ? 1u << LEAK_REACHABLE : 0), add_block, report);
    if (report->result == 0)
        classify_each_of(LEAK_INDIRECT, add_to_head, report);
    add_all_healed(report);
    if (report->result == 0)
        report->result = report_keep_lives(report);
    if (report->result == 0)
        report->result = grown_need(&report->order, (report->record_count + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < report->record_count; i++)
        report_records(report)[i].id = report_id(report_records(report)[i].stack, report_records(report)[i].type);
    return report->result;
}

void report_drop(struct report *report)
{
    grown_drop(&report->records);
    grown_drop(&report->sites);
    grown_drop(&report->record_heads);
    grown_drop(&report->site_heads);
    grown_drop(&report->owners);
    grown_drop(&report->order);
    grown_drop(&report->lives);
}

static uint64_t weight_of(const struct report_record *record)
{
    return report_own(record).bytes + report_indirect(record).bytes;
}

static bool comes_before(const struct report_record *a, const struct report_record *b)
{
    uint64_t weight_a = weight_of(a);
    uint64_t weight_b = weight_of(b);
    if (weight_a != weight_b)
        return weight_a > weight_b;
    if (a->own.blocks != b->own.blocks)
        return a->own.blocks > b->own.blocks;
    return a->id != b->id ? a->id < b->id : a->class > b->class;
}

/* A heap with the last one on top; sites refer to records by number, so it is their order that is sorted. */
static void sink_down(const struct report_record *records, uint32_t *order, uint32_t at, uint32_t count)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && comes_before(&records[order[child]], &records[order[child + 1]]))
            child++;
        if (!comes_before(&records[order[at]], &records[order[child]]))
            return;
        uint32_t moved = order[at];
        order[at] = order[child];
        order[child] = moved;
        at = child;
    }
}

static void sort(const struct report_record *records, uint32_t *order, uint32_t count)
{
    for (uint32_t i = count / 2; i-- > 0;)
        sink_down(records, order, i, count);
    for (uint32_t last = count; last-- > 1;) {
        uint32_t moved = order[0];
        order[0] = order[last];
        order[last] = moved;
        sink_down(records, order, 0, last);
    }
}

static void total_up(struct report *report, const struct report_record *record)
{
    enum leak_class class = (enum leak_class)record->class;
    if (class == LEAK_INDIRECT) /* counted with their heads */
        return;
    add(&report->totals[class], record->own.blocks, record->own.bytes);
    add(&report->totals[class == LEAK_DEFINITE ? LEAK_INDIRECT : class], record->indirect.blocks, record->indirect.bytes);
    if (class == LEAK_DEFINITE && record->is_inherited)
        add(&report->inherited, record->own.blocks, record->own.bytes);
}

void report_settle(struct report *report)
{
    uint32_t *order = report->order.start;
    memcpy(report->totals, report->unrecorded, sizeof report->totals);
    report->inherited = (struct leak_counts){0, 0};
    for (uint32_t i = 0; i < report->record_count; i++) {
        order[i] = i;
        total_up(report, &report_records(report)[i]);
    }
    sort(report_records(report), order, report->record_count);
}
