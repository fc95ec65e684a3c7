/*
 * tools/report/parse: from JSON to struct report, with every value checked before it is used.
 */
#include "tools/report/fields.h"
#include "tools/report/memory.h"
#include "tools/report/report.h"
#include "tools/report/samples.h"
#include "tools/report/source.h"
#include "tools/say.h"

#include <stdlib.h>
#include <string.h>

enum { FORMAT_VERSION = 1 };

const char *const class_name_list[CLASS_COUNT] = {
    "definite", "indirect", "possible", "kernel", "reachable", "suppressed", "reclaimed",
};

enum report_class class_named(const char *name, size_t length)
{
    enum report_class class = 0;
    while (class < CLASS_COUNT && (strlen(class_name_list[class]) != length ||
                                   strncmp(class_name_list[class], name, length) != 0))
        class++;
    return class;
}

static bool parse_amount(struct fields *fields, const json_t *object, const char *key,
                         struct report_amount *out)
{
    json_t *amount;
    return fields_object(fields, object, key, &amount) &&
           fields_count(fields, amount, "blocks", &out->blocks) &&
           fields_count(fields, amount, "bytes", &out->bytes);
}

static bool parse_totals(struct fields *fields, const json_t *root, struct report *report)
{
    json_t *totals;
    if (!fields_object(fields, root, "totals", &totals))
        return false;
    for (enum report_class class = 0; class < CLASS_COUNT; class++)
        if (!parse_amount(fields, totals, class_name_list[class], &report->totals[class]))
            return false;
    return true;
}

/* Goes through a list; *count_out is its length and *array_out has room for as many. Items must be objects. */
static bool begin_list(struct fields *fields, const json_t *root, const char *key, json_t **list_out,
                       void *array_out, size_t item_bytes)
{
    fields->list = NULL;
    if (!fields_list(fields, root, key, list_out))
        return false;
    size_t count = json_array_size(*list_out);
    void *array = memory_take(count, item_bytes);
    memcpy(array_out, &array, sizeof array);
    fields->list = key;
    return true;
}

static json_t *object_at(struct fields *fields, const json_t *list, size_t index)
{
    json_t *item = json_array_get(list, index);
    fields->index = index;
    if (json_is_object(item))
        return item;
    fields_fault(fields, "", "an object");
    return NULL;
}

/* The same for a long list. *array_out has room for as many items as the source has. */
static bool begin_long_list(struct fields *fields, const struct report *report, enum source_list list, void *array_out,
                            size_t item_bytes)
{
    json_t *unused;
    fields->list = NULL;
    if (!fields_list(fields, report->source->rest, source_list_keys[list], &unused))
        return false;
    void *array = memory_take(report->source->counts[list], item_bytes);
    memcpy(array_out, &array, sizeof array);
    fields->list = source_list_keys[list];
    return true;
}

/* An item that is of the kind, for json_decref(); NULL after an error message. */
static json_t *long_item(struct fields *fields, const struct report *report, enum source_list list, size_t index,
                         json_type type)
{
    json_t *item = source_item(report->source, list, index);
    fields->index = index;
    if (item != NULL && json_typeof(item) == type)
        return item;
    if (item == NULL)
        fields->is_no_json = true;
    else
        fields_fault(fields, "", type == JSON_OBJECT ? "an object" : "a list");
    json_decref(item);
    return NULL;
}

static bool parse_threads(struct fields *fields, const json_t *root, struct report *report)
{
    json_t *list;
    if (!begin_list(fields, root, "threads", &list, &report->threads, sizeof *report->threads))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = object_at(fields, list, i);
        struct report_thread *thread = &report->threads[i];
        thread->name = "";
        if (item == NULL || !fields_integer(fields, item, "number", 0, INT64_MAX, &thread->number) ||
            !fields_integer(fields, item, "tid", 0, INT32_MAX, &thread->tid) ||
            !fields_text(fields, item, "name", &thread->name) ||
            !fields_flag(fields, item, "alive", &thread->is_alive))
            return false;
        report->thread_count++;
    }
    return true;
}

static bool parse_modules(struct fields *fields, const json_t *root, struct report *report)
{
    json_t *list;
    if (!begin_list(fields, root, "modules", &list, &report->modules, sizeof *report->modules))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = object_at(fields, list, i);
        struct report_module *module = &report->modules[i];
        *module = (struct report_module){
            .path = "", .build_id = "", .loaded_ms = -1, .unloaded_ms = -1};
        if (item == NULL || !fields_text(fields, item, "path", &module->path) ||
            !fields_text(fields, item, "build_id", &module->build_id) ||
            !fields_integer(fields, item, "loaded_ms", 0, INT64_MAX, &module->loaded_ms) ||
            !fields_integer(fields, item, "unloaded_ms", 0, INT64_MAX, &module->unloaded_ms))
            return false;
        report->module_count++;
    }
    return true;
}

static bool parse_address(const struct report *report, const json_t *module, const json_t *offset,
                          struct report_address *out)
{
    if (!json_is_integer(module) || json_integer_value(module) < -1 ||
        json_integer_value(module) >= (json_int_t)report->module_count)
        return false;
    out->module = (int32_t)json_integer_value(module);
    return fields_hex(offset, &out->offset);
}

static bool parse_stack(const struct report *report, const json_t *list, struct report_stack *out)
{
    size_t count = json_array_size(list);
    struct report_address *addresses = memory_take(count, sizeof *addresses);
    out->addresses = addresses;
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(list, i);
        if (json_array_size(pair) != 2 || !parse_address(report, json_array_get(pair, 0),
                                                          json_array_get(pair, 1), &addresses[i]))
            return false;
    }
    return json_is_array(list);
}

static bool parse_stacks(struct fields *fields, struct report *report)
{
    if (!begin_long_list(fields, report, LIST_STACKS, &report->stacks, sizeof *report->stacks))
        return false;
    report->stack_count = report->source->counts[LIST_STACKS];
    for (size_t i = 0; i < report->stack_count; i++) {
        json_t *list = long_item(fields, report, LIST_STACKS, i, JSON_ARRAY);
        bool is_good = list != NULL && parse_stack(report, list, &report->stacks[i]);
        json_decref(list);
        if (!is_good)
            return fields->is_no_json ? false : fields_fault(fields, "frames", "a list of [module, \"0xoffset\"]");
    }
    return true;
}

static int order_threads(const void *left, const void *right)
{
    int64_t a = ((const struct report_thread *)left)->number;
    int64_t b = ((const struct report_thread *)right)->number;
    return (a > b) - (a < b);
}

/* Its name, NULL without one. */
static bool parse_type(struct fields *fields, const json_t *item, const json_t *types, const char **name_out)
{
    int64_t type = -1;
    if (!fields_integer(fields, item, "type", -1, (int64_t)json_array_size(types) - 1, &type))
        return false;
    if (type >= 0)
        *name_out = json_string_value(json_array_get(types, (size_t)type));
    return true;
}

static bool parse_shape(struct fields *fields, const json_t *item, const json_t *types, const struct report *report,
                        struct report_record *record)
{
    json_t *shape;
    if (!fields_list(fields, item, "shape", &shape))
        return false;
    const char *word = json_string_value(json_array_get(shape, 0));
    record->is_cycle = word != NULL && strcmp(word, "cycle") == 0;
    const json_t *list = json_array_get(shape, json_array_size(shape) - 1);
    struct report_part *parts = memory_take(json_array_size(list), sizeof *parts);
    record->parts = parts;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        int64_t stack = -1;
        if (!json_is_object(entry))
            return fields_fault(fields, "shape", "a list of objects");
        if (!fields_integer(fields, entry, "stack", -1, (int64_t)report->stack_count - 1, &stack) ||
            !parse_type(fields, entry, types, &parts[i].type) ||
            !fields_count(fields, entry, "blocks", &parts[i].blocks))
            return false;
        parts[i].stack = (int32_t)stack;
        record->part_count++;
    }
    return true;
}

/* What outlives the item. */
static bool parse_kept_text(struct fields *fields, const json_t *item, const char *key, const struct report *report,
                            const char **out)
{
    const char *text = NULL;
    if (!fields_text(fields, item, key, &text))
        return false;
    if (text != NULL)
        *out = source_keep(report->source, text);
    return true;
}

static bool parse_class(struct fields *fields, const json_t *item, struct report_record *record)
{
    const char *name = "";
    if (!fields_text(fields, item, "class", &name))
        return false;
    record->class = class_named(name, strlen(name));
    record->class_before = record->class;
    return record->class != CLASS_COUNT || fields_fault(fields, "class", "a class of blocks");
}

/* Who allocated what: the references into other tables. */
static bool parse_references(struct fields *fields, const json_t *item, const json_t *types,
                             const struct report *report, struct report_record *record)
{
    int64_t stack = -1;
    struct report_thread wanted = {.number = -1};
    if (!fields_integer(fields, item, "stack", -1, (int64_t)report->stack_count - 1, &stack) ||
        !parse_type(fields, item, types, &record->type) ||
        !fields_integer(fields, item, "thread", -1, INT64_MAX, &wanted.number))
        return false;
    record->stack = (int32_t)stack;
    if (report->thread_count > 0)
        record->thread = bsearch(&wanted, report->threads, report->thread_count,
                                 sizeof *report->threads, order_threads);
    return true;
}

static bool parse_record(struct fields *fields, const json_t *item, const json_t *types,
                         const struct report *report, struct report_record *record)
{
    *record = (struct report_record){.id = "", .example = "", .age_min_ms = -1, .age_max_ms = -1};
    return parse_class(fields, item, record) &&
           parse_references(fields, item, types, report, record) &&
           parse_kept_text(fields, item, "id", report, &record->id) &&
           parse_kept_text(fields, item, "example", report, &record->example) &&
           parse_kept_text(fields, item, "suppressed_by", report, &record->suppressed_by) &&
           fields_flag(fields, item, "inherited", &record->is_inherited) &&
           fields_count(fields, item, "blocks", &record->own.blocks) &&
           fields_count(fields, item, "bytes", &record->own.bytes) &&
           fields_count(fields, item, "indirect_blocks", &record->indirect.blocks) &&
           fields_count(fields, item, "indirect_bytes", &record->indirect.bytes) &&
           fields_number(fields, item, "weight_blocks", &record->weight_blocks) &&
           fields_number(fields, item, "weight_bytes", &record->weight_bytes) &&
           fields_count(fields, item, "weight_error_bytes", &record->error_bytes) &&
           fields_integer(fields, item, "age_min_ms", 0, INT64_MAX / 2, &record->age_min_ms) &&
           fields_integer(fields, item, "age_max_ms", 0, INT64_MAX / 2, &record->age_max_ms) &&
           fields_count(fields, item, "size_min", &record->size_min) &&
           fields_count(fields, item, "size_max", &record->size_max) &&
           parse_shape(fields, item, types, report, record);
}

static bool parse_records(struct fields *fields, const json_t *root, struct report *report)
{
    json_t *types;
    fields->list = NULL;
    if (!fields_list(fields, root, "types", &types) ||
        !begin_long_list(fields, report, LIST_RECORDS, &report->records, sizeof *report->records))
        return false;
    for (size_t i = 0; i < report->source->counts[LIST_RECORDS]; i++) {
        json_t *item = long_item(fields, report, LIST_RECORDS, i, JSON_OBJECT);
        /* Counted first: what it holds by then is freed with the report. */
        report->record_count++;
        bool is_good = item != NULL && parse_record(fields, item, types, report, &report->records[i]);
        json_decref(item);
        if (!is_good)
            return false;
    }
    return true;
}

static bool parse_sizes(struct fields *fields, const json_t *root, struct report *report)
{
    json_t *list;
    if (!begin_list(fields, root, "sizes", &list, &report->sizes, sizeof *report->sizes))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = object_at(fields, list, i);
        struct report_size *size = &report->sizes[i];
        if (item == NULL || !fields_count(fields, item, "bytes", &size->bytes) ||
            !fields_count(fields, item, "blocks", &size->blocks))
            return false;
        report->size_count++;
    }
    return true;
}

static bool parse_lifetimes(struct fields *fields, const json_t *item, struct report_life *life)
{
    json_t *list;
    if (!fields_list(fields, item, "lifetimes", &list))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);
        if (!json_is_integer(value) || json_integer_value(value) < 0)
            return fields_fault(fields, "lifetimes", "a list of counts");
        life->lifetimes[i < LIFETIMES_MAX ? i : LIFETIMES_MAX - 1] += (uint64_t)json_integer_value(value);
    }
    return true;
}

static bool parse_life(struct fields *fields, const json_t *item, const struct report *report, struct report_life *life)
{
    int64_t stack = -1;
    life->id = "";
    if (!parse_kept_text(fields, item, "id", report, &life->id) ||
        !fields_integer(fields, item, "stack", -1, (int64_t)report->stack_count - 1, &stack) ||
        !fields_count(fields, item, "allocated_blocks", &life->allocated.blocks) ||
        !fields_count(fields, item, "allocated_bytes", &life->allocated.bytes) ||
        !fields_count(fields, item, "freed_blocks", &life->freed.blocks) ||
        !fields_count(fields, item, "freed_bytes", &life->freed.bytes) ||
        !fields_count(fields, item, "brief_blocks", &life->brief_blocks) ||
        !fields_count(fields, item, "peak_bytes", &life->peak_bytes))
        return false;
    life->stack = (int32_t)stack;
    return parse_lifetimes(fields, item, life);
}

static int order_lives(const void *left, const void *right)
{
    const struct report_life *a = left;
    const struct report_life *b = right;
    if (a->freed.blocks != b->freed.blocks)
        return a->freed.blocks > b->freed.blocks ? -1 : 1;
    return strcmp(a->id, b->id);
}

static bool parse_history(struct fields *fields, struct report *report)
{
    if (!begin_long_list(fields, report, LIST_HISTORY, &report->lives, sizeof *report->lives))
        return false;
    for (size_t i = 0; i < report->source->counts[LIST_HISTORY]; i++) {
        json_t *item = long_item(fields, report, LIST_HISTORY, i, JSON_OBJECT);
        bool is_good = item != NULL && parse_life(fields, item, report, &report->lives[i]);
        json_decref(item);
        if (!is_good)
            return false;
        report->life_count++;
    }
    qsort(report->lives, report->life_count, sizeof *report->lives, order_lives);
    return true;
}

static int order_types(const void *left, const void *right)
{
    const struct report_type *a = left;
    const struct report_type *b = right;
    if (a->now.bytes != b->now.bytes)
        return a->now.bytes > b->now.bytes ? -1 : 1;
    if (a->made != b->made)
        return a->made > b->made ? -1 : 1;
    return strcmp(a->name, b->name);
}

static bool parse_types(struct fields *fields, const json_t *root, struct report *report)
{
    json_t *list;
    const json_t *names = json_object_get(root, "types");
    if (!begin_list(fields, root, "type_statistics", &list, &report->types, sizeof *report->types))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = object_at(fields, list, i);
        struct report_type *type = &report->types[i];
        if (item == NULL || !parse_type(fields, item, names, &type->name) ||
            !fields_count(fields, item, "size", &type->size_bytes) ||
            !fields_count(fields, item, "made", &type->made) ||
            !fields_count(fields, item, "blocks", &type->now.blocks) ||
            !fields_count(fields, item, "bytes", &type->now.bytes) ||
            !fields_count(fields, item, "peak_blocks", &type->peak.blocks) ||
            !fields_count(fields, item, "peak_bytes", &type->peak.bytes))
            return false;
        if (type->name == NULL)
            type->name = "?";
        report->type_count++;
    }
    qsort(report->types, report->type_count, sizeof *report->types, order_types);
    return true;
}

static bool parse_suppressions(struct fields *fields, const json_t *root, struct report *report)
{
    json_t *list;
    if (!begin_list(fields, root, "suppressions", &list, &report->suppressions,
                    sizeof *report->suppressions))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = object_at(fields, list, i);
        struct report_suppression *one = &report->suppressions[i];
        one->text = one->source = "";
        if (item == NULL || !fields_text(fields, item, "text", &one->text) ||
            !fields_text(fields, item, "source", &one->source) ||
            !fields_count(fields, item, "blocks", &one->matched.blocks) ||
            !fields_count(fields, item, "bytes", &one->matched.bytes))
            return false;
        report->suppression_count++;
    }
    return true;
}

static int order_names(const void *left, const void *right)
{
    const struct report_address *a = &((const struct report_name *)left)->address;
    const struct report_address *b = &((const struct report_name *)right)->address;
    if (a->module != b->module)
        return a->module < b->module ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* What is in the frames is checked where it is used: a wrong name is no name. */
static bool parse_name(struct fields *fields, const json_t *item, const struct report *report, struct report_name *name)
{
    return parse_address(report, json_object_get(item, "module"), json_object_get(item, "offset"), &name->address) ||
           fields_fault(fields, "offset", "\"0x...\" in one of the modules");
}

static bool parse_names(struct fields *fields, struct report *report)
{
    if (!begin_long_list(fields, report, LIST_SYMBOLS, &report->names, sizeof *report->names))
        return false;
    for (size_t i = 0; i < report->source->counts[LIST_SYMBOLS]; i++) {
        json_t *item = long_item(fields, report, LIST_SYMBOLS, i, JSON_OBJECT);
        bool is_good = item != NULL && parse_name(fields, item, report, &report->names[i]);
        json_decref(item);
        if (!is_good)
            return false;
        report->names[i].item = i;
        report->name_count++;
    }
    qsort(report->names, report->name_count, sizeof *report->names, order_names);
    return true;
}

static bool parse_program(struct fields *fields, const json_t *root, struct report *report)
{
    json_t *program;
    json_t *settings;
    report->program = "";
    report->process_id = report->parent_process_id = -1;
    return fields_object(fields, root, "program", &program) &&
           fields_integer(fields, program, "pid", 0, INT32_MAX, &report->process_id) &&
           fields_text(fields, program, "path", &report->program) &&
           fields_texts(fields, program, "arguments", &report->arguments,
                        &report->argument_count) &&
           fields_integer(fields, program, "parent_pid", 0, INT32_MAX,
                          &report->parent_process_id) &&
           fields_integer(fields, program, "forks", 0, INT64_MAX, &report->forks) &&
           fields_object(fields, root, "settings", &settings) &&
           fields_integer(fields, settings, "sample_bytes", 0, INT64_MAX, &report->sample_bytes) &&
           fields_flag(fields, settings, "gc", &report->has_gc);
}

static bool parse_kind(struct fields *fields, const json_t *root, struct report *report)
{
    const char *kind = "";
    report->moment = "";
    if (!fields_text(fields, root, "kind", &kind) ||
        !fields_text(fields, root, "moment", &report->moment))
        return false;
    report->is_snapshot = strcmp(kind, "snapshot") == 0;
    return report->is_snapshot || strcmp(kind, "leaks") == 0 ||
           fields_fault(fields, "kind", "\"leaks\" or \"snapshot\"");
}

/* Another program's file is told apart from one of ours that is damaged. */
static bool is_ours(const json_t *root, const char *name)
{
    const char *format = json_string_value(json_object_get(root, "format"));
    if (format == NULL || strcmp(format, "gcalloc-report") != 0) {
        say_error("%s: not a report of gcalloc", name);
        return false;
    }
    const json_t *version = json_object_get(root, "version");
    if (json_is_integer(version) && json_integer_value(version) == FORMAT_VERSION)
        return true;
    say_error("%s: a report of version %lld; this command reads version %d", name,
              (long long)json_integer_value(version), FORMAT_VERSION);
    return false;
}

static bool fill(struct fields *fields, struct report *report)
{
    const json_t *root = report->source->rest;
    if (!parse_kind(fields, root, report) || !parse_program(fields, root, report) ||
        !fields_integer(fields, root, "taken_ms", 0, INT64_MAX / 2, &report->taken_ms) ||
        !fields_integer(fields, root, "running_ms", 0, INT64_MAX / 2, &report->running_ms) ||
        !fields_texts(fields, root, "incomplete", &report->incomplete,
                      &report->incomplete_count) ||
        !parse_totals(fields, root, report) || !parse_threads(fields, root, report))
        return false;
    qsort(report->threads, report->thread_count, sizeof *report->threads, order_threads);
    return parse_modules(fields, root, report) && parse_stacks(fields, report) &&
           parse_records(fields, root, report) && parse_sizes(fields, root, report) &&
           parse_types(fields, root, report) && parse_history(fields, report) &&
           parse_suppressions(fields, root, report) && parse_names(fields, report);
}

static void say_no_json(const char *name, const char *text, size_t length, const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    if (length == 0)
        say_error("%s: empty, not a report of gcalloc", name);
    else if (text[0] == '{' && code == json_error_premature_end_of_input)
        say_error("%s: cut short: a report of gcalloc ends with a closing brace", name);
    else if (text[0] == '{' && memmem(text, length < 200 ? length : 200, "gcalloc-report", 14))
        say_error("%s: damaged in line %d: %s", name, error->line, error->text);
    else
        say_error("%s: not a report of gcalloc", name);
}

struct report *report_parse(const char *text, size_t length, const char *name)
{
    json_error_t error;
    struct fields fields = {.file = name};
    struct source *source = source_open(text, length, &error);
    if (source == NULL || !is_ours(source->rest, name)) {
        if (source == NULL)
            say_no_json(name, text, length, &error);
        source_close(source);
        return NULL;
    }
    struct report *report = memory_take(1, sizeof *report);
    report->source = source;
    report->file = name;
    if (fill(&fields, report)) {
        samples_scale(report);
        return report;
    }
    if (fields.is_no_json) { /* an item of a list: where, says reading all of it */
        json_decref(json_loadb(text, length, 0, &error));
        say_no_json(name, text, length, &error);
    }
    report_free(report);
    return NULL;
}

static void free_records(struct report *report)
{
    for (size_t i = 0; i < report->record_count; i++)
        free((void *)report->records[i].parts);
    free(report->records);
}

void report_free(struct report *report)
{
    if (report == NULL)
        return;
    free_records(report);
    for (size_t i = 0; report->stacks != NULL && i < report->stack_count; i++)
        free((void *)report->stacks[i].addresses);
    free(report->stacks);
    free((void *)report->arguments);
    free((void *)report->incomplete);
    free(report->threads);
    free(report->modules);
    free(report->sizes);
    free(report->types);
    free(report->lives);
    free(report->suppressions);
    free(report->names);
    source_close(report->source);
    free(report->owned_text);
    free(report);
}
