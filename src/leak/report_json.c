/*
 * leak/report_json: a report as gcalloc-report(5) describes it.
 *
 * Only stacks and threads that records refer to are written; stacks are numbered in the order in which they are first met.
 *
 * Uses os, base. Locks: none.
 */
#include "leak/report.h"

#include "base/bits.h"
#include "base/image.h"
#include "heap/typed.h"
#include "leak/lives.h"
#include "leak/stacks.h"
#include "leak/suppress.h"

#include <string.h>

struct writer {
    struct sink *sink;
    const struct report *report;
    const struct leak_tables *tables;
    struct grown stack_numbers; /* by id: the number in the report, plus one */
    struct grown stack_ids;     /* by number */
    uint32_t stack_count;
    uint64_t threads[(THREAD_COUNT_MAX + WORD_BITS) / WORD_BITS]; /* a bit for each that is referred to */
};

/* ---- pieces ---- */

static void key(const struct writer *writer, const char *name)
{
    sink_text(writer->sink, name);
}

static void number(const struct writer *writer, const char *name, uint64_t value)
{
    key(writer, name);
    sink_number(writer->sink, value);
}

static void boolean(const struct writer *writer, const char *name, bool value)
{
    key(writer, name);
    sink_text(writer->sink, value ? "true" : "false");
}

static void string(const struct writer *writer, const char *name, const char *value)
{
    key(writer, name);
    sink_json(writer->sink, value);
}

static void address(const struct writer *writer, const char *name, uint64_t value)
{
    key(writer, name);
    sink_text(writer->sink, "\"0x");
    sink_hex(writer->sink, value, 1);
    sink_text(writer->sink, "\"");
}

static void comma(const struct writer *writer, bool *is_first)
{
    if (!*is_first)
        sink_text(writer->sink, ",");
    *is_first = false;
}

/* Its number in this report, or -1. */
static void stack_number(struct writer *writer, uint32_t id)
{
    static struct stack frames;
    if (writer->tables == NULL || stacks_get(writer->tables->stacks, id, &frames) == NULL ||
        grown_need(&writer->stack_numbers, (id + 1) * sizeof(uint32_t)) != 0 ||
        grown_need(&writer->stack_ids, (writer->stack_count + 1) * sizeof(uint32_t)) != 0) {
        sink_text(writer->sink, "-1");
        return;
    }
    uint32_t *place = (uint32_t *)writer->stack_numbers.start + id;
    if (*place == 0) {
        ((uint32_t *)writer->stack_ids.start)[writer->stack_count] = id;
        *place = ++writer->stack_count;
    }
    sink_number(writer->sink, *place - 1);
}

/* Its index in "types", or -1. */
static void type_number(const struct writer *writer, uint32_t type)
{
    key(writer, ",\"type\":");
    if (typed_entry(image_now->types, type) != NULL)
        sink_number(writer->sink, type - 1);
    else
        sink_text(writer->sink, "-1");
}

static uint64_t count_of(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

/* ---- the head ---- */

static void write_arguments(const struct writer *writer)
{
    const struct report_about *about = &writer->report->about;
    bool is_first = true;
    for (size_t at = 0; at < about->arguments_bytes; at += strlen(about->arguments + at) + 1) {
        comma(writer, &is_first);
        sink_json(writer->sink, about->arguments + at);
    }
}

static void write_program(const struct writer *writer)
{
    const struct report_about *about = &writer->report->about;
    number(writer, "\"program\":{\"pid\":", (uint64_t)about->process_id);
    string(writer, ",\"path\":", about->path);
    key(writer, ",\"arguments\":[");
    write_arguments(writer);
    number(writer, "],\"parent_pid\":", (uint64_t)about->parent_id);
    number(writer, ",\"forks\":", image_now->fork_count);
    key(writer, "},\n");
}

static void write_settings(const struct writer *writer)
{
    const struct leak_tables *tables = writer->tables;
    number(writer, "\"settings\":{\"stacks\":", tables != NULL ? tables->frames_max : 0);
    number(writer, ",\"sample_bytes\":", tables != NULL ? tables->sample_bytes : 0);
    boolean(writer, ",\"gc\":", image_now->options.gc != 0);
    key(writer, "},\n");
}

static void write_incomplete(const struct writer *writer)
{
    const struct report_about *about = &writer->report->about;
    bool is_first = true;
    key(writer, "\"incomplete\":[");
    for (size_t i = 0; i < about->incomplete_count; i++) {
        comma(writer, &is_first);
        sink_json(writer->sink, about->incomplete[i]);
    }
    key(writer, "],\n");
}

static void write_head(const struct writer *writer)
{
    const struct report_about *about = &writer->report->about;
    key(writer, "{\"format\":\"gcalloc-report\",\"version\":1");
    string(writer, ",\"kind\":", about->kind);
    string(writer, ",\"moment\":", about->moment);
    key(writer, ",\n");
    write_program(writer);
    number(writer, "\"taken_ms\":", about->taken_ms);
    number(writer, ",\"running_ms\":", about->now_ms);
    key(writer, ",\n");
    write_settings(writer);
    write_incomplete(writer);
}

static void write_totals(const struct writer *writer)
{
    static const enum leak_class classes[] = {LEAK_DEFINITE, LEAK_INDIRECT,  LEAK_POSSIBLE,
                                              LEAK_KERNEL,   LEAK_REACHABLE, LEAK_SUPPRESSED,
                                              LEAK_RECLAIMED};
    bool is_first = true;
    key(writer, "\"totals\":{");
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        const struct leak_counts *counts = &writer->report->totals[classes[i]];
        comma(writer, &is_first);
        sink_json(writer->sink, leak_class_names[classes[i]]);
        number(writer, ":{\"blocks\":", counts->blocks);
        number(writer, ",\"bytes\":", counts->bytes);
        key(writer, "}");
    }
    key(writer, "},\n");
}

/* ---- records ---- */

struct largest {
    const struct report_site *sites[REPORT_SITES_MAX];
    size_t count;
};

static void insert(struct largest *largest, const struct report_site *site)
{
    size_t at = largest->count;
    while (at > 0 && largest->sites[at - 1]->counts.bytes < site->counts.bytes)
        at--;
    if (at == REPORT_SITES_MAX)
        return;
    if (largest->count < REPORT_SITES_MAX)
        largest->count++;
    memmove(&largest->sites[at + 1], &largest->sites[at], (largest->count - 1 - at) * sizeof largest->sites[0]);
    largest->sites[at] = site;
}

static void write_shape(struct writer *writer, const struct report_record *record)
{
    struct largest largest = {.count = 0};
    const struct report_site *sites = report_sites(writer->report);
    for (uint32_t next = record->first_site; next != 0; next = sites[next - 1].next_in_record)
        insert(&largest, &sites[next - 1]);
    if (largest.count == 0 && !record->is_cycle)
        return;
    string(writer, ",\"shape\":[", record->is_cycle ? "cycle" : "tree");
    key(writer, ",[");
    bool is_first = true;
    for (size_t i = 0; i < largest.count; i++) {
        comma(writer, &is_first);
        key(writer, "{\"stack\":");
        stack_number(writer, largest.sites[i]->stack);
        type_number(writer, largest.sites[i]->type);
        number(writer, ",\"blocks\":", largest.sites[i]->counts.blocks);
        number(writer, ",\"bytes\":", largest.sites[i]->counts.bytes);
        key(writer, "}");
    }
    key(writer, "]]");
}

static void write_record(struct writer *writer, const struct report_record *record)
{
    string(writer, "{\"class\":", leak_class_names[record->class]);
    key(writer, ",\"id\":\"");
    sink_hex(writer->sink, record->id, 8);
    key(writer, "\",\"stack\":");
    stack_number(writer, record->stack);
    number(writer, ",\"thread\":", record->thread);
    bitmap_set(writer->threads, record->thread);
    type_number(writer, record->type);
    boolean(writer, ",\"inherited\":", record->is_inherited);
    number(writer, ",\"blocks\":", record->own.blocks);
    number(writer, ",\"bytes\":", record->own.bytes);
    number(writer, ",\"indirect_blocks\":", record->indirect.blocks);
    number(writer, ",\"indirect_bytes\":", record->indirect.bytes);
    number(writer, ",\"age_min_ms\":", report_age_ms(writer->report, record->newest_ms));
    number(writer, ",\"age_max_ms\":", report_age_ms(writer->report, record->oldest_ms));
    number(writer, ",\"size_min\":", record->size_min);
    number(writer, ",\"size_max\":", record->size_max);
    if (record->weight_blocks > 0) {
        number(writer, ",\"weight_blocks\":", (uint64_t)(record->weight_blocks + 0.5));
        number(writer, ",\"weight_bytes\":", (uint64_t)(record->weight_bytes + 0.5));
        number(writer, ",\"weight_error_bytes\":", report_error_bytes(record));
    }
    address(writer, ",\"example\":", record->example);
    write_shape(writer, record);
    key(writer, "}");
}

static void write_records(struct writer *writer)
{
    bool is_first = true;
    key(writer, "\"records\":[\n");
    for (uint32_t i = 0; i < writer->report->record_count; i++) {
        if (!is_first)
            key(writer, ",\n");
        is_first = false;
        write_record(writer, report_in_order(writer->report, i));
    }
    key(writer, "],\n");
}

/* ---- what has been freed ---- */

static uint64_t whole(const _Atomic uint64_t *parts)
{
    return (count_of(parts) + LIFE_ONE / 2) / LIFE_ONE;
}

static void write_life(struct writer *writer, const struct life *life)
{
    uint32_t used = LIFE_SPANS;
    while (used > 0 && count_of(&life->spans[used - 1]) == 0)
        used--;
    key(writer, "{\"id\":\"");
    sink_hex(writer->sink, report_id(life->stack, 0), 8);
    key(writer, "\",\"stack\":");
    stack_number(writer, life->stack);
    number(writer, ",\"allocated_blocks\":", whole(&life->made));
    number(writer, ",\"allocated_bytes\":", count_of(&life->made_bytes));
    number(writer, ",\"freed_blocks\":", whole(&life->ended));
    number(writer, ",\"freed_bytes\":", count_of(&life->ended_bytes));
    number(writer, ",\"brief_blocks\":", whole(&life->brief));
    number(writer, ",\"peak_bytes\":", count_of(&life->peak_bytes));
    key(writer, ",\"lifetimes\":[");
    for (uint32_t i = 0; i < used; i++)
        number(writer, i == 0 ? "" : ",", whole(&life->spans[i]));
    key(writer, "]}");
}

static void write_history(struct writer *writer)
{
    const struct life *lives = writer->report->lives.start;
    bool is_first = true;
    key(writer, "\"history\":[");
    for (uint32_t i = 0; i < writer->report->life_count; i++) {
        if (count_of(&lives[i].made) == 0)
            continue;
        key(writer, is_first ? "\n" : ",\n");
        is_first = false;
        write_life(writer, &lives[i]);
    }
    key(writer, "],\n");
}

/* ---- what records refer to ---- */

static void write_frame(const struct writer *writer, uint64_t frame)
{
    uint64_t module = frame >> FRAME_MODULE_SHIFT;
    uint64_t place = (frame & ((UINT64_C(1) << FRAME_MODULE_SHIFT) - 1)) + 1; /* frames lie inside their calls */
    bool is_known = module != 0 && module < MODULE_COUNT_MAX;
    key(writer, "[");
    if (is_known)
        sink_number(writer->sink, module - 1);
    else
        key(writer, "-1");
    address(writer, ",", is_known ? place - writer->tables->modules->modules[module].base : place);
    key(writer, "]");
}

static void write_stacks(const struct writer *writer)
{
    bool is_first = true;
    key(writer, "\"stacks\":[\n");
    for (uint32_t i = 0; i < writer->stack_count; i++) {
        static struct stack frames;
        uint32_t id = ((const uint32_t *)writer->stack_ids.start)[i];
        const struct stack *stack = stacks_get(writer->tables->stacks, id, &frames);
        bool is_first_frame = true;
        if (!is_first)
            key(writer, ",\n");
        is_first = false;
        key(writer, "[");
        for (uint32_t j = 0; j < stack->frame_count; j++) {
            comma(writer, &is_first_frame);
            write_frame(writer, stack->frames[j]);
        }
        key(writer, "]");
    }
    key(writer, "],\n");
}

static void write_module(const struct writer *writer, const struct module *module)
{
    enum module_state state = (enum module_state)atomic_load_explicit(&module->state, memory_order_acquire);
    string(writer, "{\"path\":", module->path);
    key(writer, ",\"build_id\":\"");
    for (uint32_t i = 0; i < module->build_id_bytes && i < MODULE_BUILD_ID_BYTES; i++)
        sink_hex(writer->sink, module->build_id[i], 2);
    number(writer, "\",\"loaded_ms\":", module->loaded_ms);
    if (state == MODULE_UNLOADED)
        number(writer, ",\"unloaded_ms\":", module->unloaded_ms);
    else
        key(writer, ",\"unloaded_ms\":null");
    key(writer, "}");
}

static void write_modules(const struct writer *writer)
{
    uint32_t count = 0;
    if (writer->tables != NULL)
        count = atomic_load_explicit(&writer->tables->modules->count, memory_order_acquire);
    bool is_first = true;
    key(writer, "\"modules\":[\n");
    for (uint32_t i = 1; i < count && i < MODULE_COUNT_MAX; i++) {
        if (!is_first)
            key(writer, ",\n");
        is_first = false;
        write_module(writer, &writer->tables->modules->modules[i]);
    }
    key(writer, "],\n");
}

static void write_thread(const struct writer *writer, uint32_t index)
{
    const struct thread_entry *thread = &writer->tables->threads->threads[index];
    const struct report_about *about = &writer->report->about;
    char name[THREAD_NAME_BYTES];
    memcpy(name, thread->name, sizeof name);
    bool is_alive = thread->ended_ms == 0 && thread->forks == image_now->fork_count && about->thread_name != NULL &&
                    about->thread_name(thread->thread_id, name);
    name[THREAD_NAME_BYTES - 1] = '\0';
    number(writer, "{\"number\":", index);
    string(writer, ",\"name\":", name);
    number(writer, ",\"tid\":", (uint64_t)thread->thread_id);
    boolean(writer, ",\"alive\":", is_alive);
    key(writer, "}");
}

static void write_threads(const struct writer *writer)
{
    bool is_first = true;
    key(writer, "\"threads\":[\n");
    for (uint32_t i = 1; writer->tables != NULL && i < THREAD_COUNT_MAX; i++) {
        if (!bitmap_get(writer->threads, i))
            continue;
        if (!is_first)
            key(writer, ",\n");
        is_first = false;
        write_thread(writer, i);
    }
    key(writer, "],\n");
}

/* Every type the program has told us of, whether there are blocks of it or not; its index is one less than its number. */
static void write_types(const struct writer *writer)
{
    const struct typed_table *types = image_now->types;
    const struct typed_entry *entry;
    key(writer, "\"types\":[");
    for (uint32_t type = 1; (entry = typed_entry(types, type)) != NULL; type++) {
        key(writer, type == 1 ? "" : ",");
        sink_json(writer->sink, entry->name);
    }
    key(writer, "],\n\"type_statistics\":[");
    for (uint32_t type = 1; (entry = typed_entry(types, type)) != NULL; type++) {
        number(writer, type == 1 ? "\n{\"type\":" : ",\n{\"type\":", type - 1);
        number(writer, ",\"size\":", entry->size_bytes);
        number(writer, ",\"made\":", count_of(&entry->made));
        number(writer, ",\"blocks\":", count_of(&entry->current));
        number(writer, ",\"bytes\":", count_of(&entry->current_bytes));
        number(writer, ",\"peak_blocks\":", count_of(&entry->peak));
        number(writer, ",\"peak_bytes\":", count_of(&entry->peak_bytes));
        key(writer, "}");
    }
    key(writer, "],\n");
}

static void write_sizes(const struct writer *writer)
{
    bool is_first = true;
    key(writer, "\"sizes\":[");
    for (size_t i = 0; i < writer->report->size_count; i++) {
        comma(writer, &is_first);
        number(writer, "{\"bytes\":", writer->report->sizes[i].slot_bytes);
        number(writer, ",\"blocks\":", writer->report->sizes[i].blocks);
        key(writer, "}");
    }
    key(writer, "],\n");
}


struct suppressions {
    const struct writer *writer;
    bool is_first;
};

static void write_suppression(const struct suppression *suppression, void *context)
{
    struct suppressions *all = context;
    comma(all->writer, &all->is_first);
    string(all->writer, "\n{\"text\":", suppression->text);
    key(all->writer, ",\"source\":\"");
    sink_json_part(all->writer->sink, suppression->source);
    number(all->writer, ":", suppression->line);
    number(all->writer, "\",\"blocks\":", suppression->blocks);
    number(all->writer, ",\"bytes\":", suppression->bytes);
    key(all->writer, "}");
}

static void write_suppressions(const struct writer *writer)
{
    struct suppressions all = {writer, true};
    key(writer, "\"suppressions\":[");
    suppress_each(write_suppression, &all);
    key(writer, "]}\n");
}

void report_write_json(const struct report *report, struct sink *sink)
{
    struct writer writer = {.sink = sink, .report = report, .tables = image_now->leak};
    write_head(&writer);
    write_totals(&writer);
    write_records(&writer);
    write_history(&writer);
    write_stacks(&writer);
    write_modules(&writer);
    write_threads(&writer);
    write_types(&writer);
    write_sizes(&writer);
    write_suppressions(&writer);
    grown_drop(&writer.stack_numbers);
    grown_drop(&writer.stack_ids);
}
