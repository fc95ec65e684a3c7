#include "tools/report/page_data.h"

#include "tools/report/memory.h"
#include "tools/report/page.h"
#include "tools/say.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A frame is written once; stacks name it by its number. */
struct page_data {
    json_t *root;
    json_t *sites;
    json_t *frames;
    json_t *frame_numbers; /* by the frame's own text */
};

json_t *page_data_text(const char *text)
{
    json_t *value = json_string(text);
    return value != NULL ? value : json_string("?");
}

static json_t *amount(const struct report_amount *value)
{
    return json_pack("[I, I]", (json_int_t)value->blocks, (json_int_t)value->bytes);
}

static json_t *texts(const char *const *list, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, page_data_text(list[i]));
    return array;
}

static void add_totals(const struct report *report, json_t *root)
{
    json_t *totals = json_array();
    json_t *names = json_array();
    for (enum report_class class = 0; class < CLASS_COUNT; class++) {
        json_array_append_new(names, json_string(class_name_list[class]));
        json_array_append_new(totals, amount(&report->totals[class]));
    }
    json_object_set_new(root, "classes", names);
    json_object_set_new(root, "totals", totals);
}

static void add_sizes(const struct report *report, json_t *root)
{
    json_t *sizes = json_array();
    for (size_t i = 0; i < report->size_count; i++)
        json_array_append_new(sizes, json_pack("[I, I]", (json_int_t)report->sizes[i].bytes,
                                               (json_int_t)report->sizes[i].blocks));
    json_object_set_new(root, "sizes", sizes);
}

static void add_types(const struct report *report, json_t *root)
{
    json_t *types = json_array();
    for (size_t i = 0; i < report->type_count; i++) {
        const struct report_type *type = &report->types[i];
        json_t *entry = json_array();
        json_array_append_new(entry, page_data_text(type->name));
        json_array_append_new(entry, json_integer((json_int_t)type->made));
        json_array_append_new(entry, amount(&type->now));
        json_array_append_new(entry, amount(&type->peak));
        json_array_append_new(types, entry);
    }
    json_object_set_new(root, "types", types);
}

static void add_modules(const struct report *report, json_t *root)
{
    json_t *modules = json_array();
    for (size_t i = 0; i < report->module_count; i++) {
        const struct report_module *module = &report->modules[i];
        json_t *entry = json_array();
        json_array_append_new(entry, page_data_text(module->path));
        json_array_append_new(entry, page_data_text(module->build_id));
        json_array_append_new(entry, json_integer(names_unloaded_ms(report, module)));
        json_array_append_new(modules, entry);
    }
    json_object_set_new(root, "modules", modules);
}

struct page_data *page_data_make(const struct report *report)
{
    struct page_data *data = memory_take(1, sizeof *data);
    data->root = json_object();
    data->sites = json_array();
    data->frames = json_array();
    data->frame_numbers = json_object();
    json_object_set_new(data->root, "snapshot", json_boolean(report->is_snapshot));
    json_object_set_new(data->root, "program", page_data_text(report->program));
    json_object_set_new(data->root, "name", page_data_text(report_program_name(report)));
    json_object_set_new(data->root, "arguments", texts(report->arguments, report->argument_count));
    json_object_set_new(data->root, "pid", json_integer(report->process_id));
    json_object_set_new(data->root, "moment", page_data_text(report->moment));
    json_object_set_new(data->root, "taken_ms", json_integer(report->taken_ms));
    json_object_set_new(data->root, "running_ms", json_integer(report->running_ms));
    json_object_set_new(data->root, "sample_bytes", json_integer(report->sample_bytes));
    json_object_set_new(data->root, "incomplete",
                        texts(report->incomplete, report->incomplete_count));
    add_totals(report, data->root);
    add_sizes(report, data->root);
    add_types(report, data->root);
    add_modules(report, data->root);
    json_object_set(data->root, "sites", data->sites);
    json_object_set(data->root, "frames", data->frames);
    return data;
}

void page_data_free(struct page_data *data)
{
    json_decref(data->root);
    json_decref(data->sites);
    json_decref(data->frames);
    json_decref(data->frame_numbers);
    free(data);
}

json_t *page_data_root(struct page_data *data)
{
    return data->root;
}

void page_data_leave_out(struct page_data *data, size_t site_count)
{
    if (site_count > PAGE_SITES_MAX)
        json_object_set_new(data->root, "left_out",
                            json_integer((json_int_t)(site_count - PAGE_SITES_MAX)));
}

/* [name, signature, file:line, place, is inlined] */
static json_t *frame_json(const struct report *report, const struct trace_frame *frame)
{
    const struct symbol_frame *symbol = frame->symbol;
    json_t *array = json_array();
    char *label = names_label(report, frame);
    char *place = names_place(report, frame->address);
    char *source = NULL;
    if (symbol != NULL && symbol->file != NULL)
        source = memory_format("%s:%u", render_source_name(symbol), symbol->line);
    json_array_append_new(array, page_data_text(label));
    json_array_append_new(array, page_data_text(symbol != NULL && symbol->signature != NULL
                                                    ? symbol->signature : label));
    json_array_append_new(array, source != NULL ? page_data_text(source) : json_null());
    json_array_append_new(array, page_data_text(place));
    json_array_append_new(array, json_integer(symbol != NULL && symbol->is_inlined));
    json_array_append_new(array, json_integer(frame->address->module));
    free(label);
    free(place);
    free(source);
    return array;
}

static json_int_t frame_number(struct page_data *data, const struct report *report,
                               const struct trace_frame *frame)
{
    char *key = memory_format("%d %" PRIx64 " %p", frame->address->module, frame->address->offset,
                              (const void *)frame->symbol);
    const json_t *known = json_object_get(data->frame_numbers, key);
    json_int_t number = (json_int_t)json_array_size(data->frames);
    if (known != NULL) {
        number = json_integer_value(known);
    } else {
        json_array_append_new(data->frames, frame_json(report, frame));
        json_object_set_new(data->frame_numbers, key, json_integer(number));
    }
    free(key);
    return number;
}

static json_t *stack_json(struct page_data *data, const struct render *render, int32_t stack)
{
    struct trace trace = names_trace(render->names, stack, !render->is_full);
    json_t *array = json_array();
    for (size_t i = 0; i < trace.count; i++)
        json_array_append_new(array,
                              json_integer(frame_number(data, render->report, &trace.frames[i])));
    free(trace.frames);
    return array;
}

static json_t *threads_json(const struct site *site)
{
    json_t *array = json_array();
    for (size_t i = 0; i < site->thread_count; i++) {
        const struct report_thread *thread = site->threads[i];
        json_array_append_new(array, *thread->name != '\0' ? page_data_text(thread->name)
                                                           : json_sprintf("%" PRId64, thread->number));
    }
    return array;
}

static json_t *parts_json(struct page_data *data, const struct render *render,
                          const struct report_record *record)
{
    json_t *array = json_array();
    for (size_t i = 0; i < record->part_count; i++) {
        json_t *part = json_array();
        json_array_append_new(part, json_integer((json_int_t)record->parts[i].blocks));
        json_array_append_new(part, stack_json(data, render, record->parts[i].stack));
        json_array_append_new(part, record->parts[i].type != NULL ? page_data_text(record->parts[i].type) : json_null());
        json_array_append_new(array, part);
    }
    return array;
}

json_t *page_data_site(struct page_data *data, const struct render *render,
                       const struct site *site)
{
    const struct report_record *record = site->record;
    char *suppress = report_is_leak(record) ? render_suppression_line(render, record) : NULL;
    json_t *object = json_object();
    json_object_set_new(object, "class", json_integer(record->class));
    json_object_set_new(object, "id", page_data_text(record->id));
    json_object_set_new(object, "own", amount(&site->own));
    json_object_set_new(object, "indirect", amount(&site->indirect));
    if (site->is_estimate)
        json_object_set_new(object, "error", json_integer((json_int_t)sites_error_bytes(site)));
    json_object_set_new(object, "age",
                        json_pack("[I, I]", (json_int_t)site->age_min_ms, (json_int_t)site->age_max_ms));
    json_object_set_new(object, "size",
                        json_pack("[I, I]", (json_int_t)site->size_min, (json_int_t)site->size_max));
    json_object_set_new(object, "rate", json_integer((json_int_t)sites_rate(site)));
    json_object_set_new(object, "threads", threads_json(site));
    json_object_set_new(object, "stack", stack_json(data, render, record->stack));
    json_object_set_new(object, "parts", parts_json(data, render, record));
    json_object_set_new(object, "example", page_data_text(record->example));
    json_object_set_new(object, "cycle", json_boolean(record->is_cycle));
    json_object_set_new(object, "inherited", json_boolean(record->is_inherited));
    if (record->type != NULL)
        json_object_set_new(object, "type", page_data_text(record->type));
    if (record->suppressed_by != NULL)
        json_object_set_new(object, "suppressed_by", page_data_text(record->suppressed_by));
    if (suppress != NULL)
        json_object_set_new(object, "suppress", page_data_text(suppress));
    free(suppress);
    json_array_append_new(data->sites, object);
    return object;
}

void page_data_lives(struct page_data *data, const struct render *render)
{
    const struct report *report = render->report;
    json_t *lives = json_array();
    for (size_t i = 0; i < report->life_count && i < PAGE_LIVES_MAX; i++) {
        const struct report_life *life = &report->lives[i];
        json_t *lifetimes = json_array();
        for (size_t j = 0; j < LIFETIMES_MAX; j++)
            json_array_append_new(lifetimes, json_integer((json_int_t)life->lifetimes[j]));
        json_t *entry = json_array();
        json_array_append_new(entry, stack_json(data, render, life->stack));
        json_array_append_new(entry, amount(&life->allocated));
        json_array_append_new(entry, amount(&life->freed));
        json_array_append_new(entry, json_integer((json_int_t)life->brief_blocks));
        json_array_append_new(entry, json_integer((json_int_t)life->peak_bytes));
        json_array_append_new(entry, lifetimes);
        json_array_append_new(lives, entry);
    }
    json_object_set_new(data->root, "lives", lives);
}

/* Inside a script element only "</script" and "<!--" mean anything: no "<" is left. */
static void write_data(const char *text, FILE *out)
{
    for (const char *end; *text != '\0'; text = *end == '<' ? end + 1 : end) {
        end = strchrnul(text, '<');
        fwrite(text, 1, (size_t)(end - text), out);
        if (*end == '<')
            fputs("\\u003c", out);
    }
}

static void write_title(struct page_data *data, FILE *out)
{
    for (const char *text = json_string_value(json_object_get(data->root, "name")); *text != '\0';
         text++) {
        if (*text == '<' || *text == '&')
            fprintf(out, "&#%d;", *text);
        else
            putc(*text, out);
    }
}

int page_data_write(struct page_data *data, FILE *out)
{
    char *text = json_dumps(data->root, JSON_COMPACT);
    if (text == NULL) {
        say_error("out of memory");
        return -1;
    }
    fputs(page_head, out);
    write_title(data, out);
    fputs(" – gcalloc</title>\n<style>\n", out);
    fputs(page_style, out);
    fputs("</style>\n</head>\n", out);
    fputs(page_body, out);
    fputs("<script type=\"application/json\" id=\"data\">", out);
    write_data(text, out);
    fputs("</script>\n<script>\n", out);
    fputs(page_script, out);
    fputs(page_chart_script, out);
    fputs(page_table_script, out);
    fputs("</script>\n</body>\n</html>\n", out);
    free(text);
    return 0;
}
