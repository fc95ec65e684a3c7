/*
 * tools/report/json: the report as it was read, with the names that were found and what the command suppressed. It is a
 * report itself: `gcalloc report` reads it on any machine.
 */
#include "tools/report/json.h"

#include "tools/report/memory.h"
#include "tools/report/render.h"
#include "tools/report/source.h"
#include "tools/say.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void json_set_text(json_t *object, const char *key, const char *text)
{
    if (text == NULL)
        return;
    json_t *value = json_string(text);
    /* Names in files may be in any encoding; JSON is UTF-8. */
    if (value == NULL)
        value = json_string("?");
    json_object_set_new(object, key, value);
}

json_t *json_frame(const struct symbol_frame *frame)
{
    json_t *object = json_object();
    json_set_text(object, "function", frame->function);
    if (frame->signature != frame->function)
        json_set_text(object, "signature", frame->signature);
    if (frame->linkage != frame->function)
        json_set_text(object, "linkage_name", frame->linkage);
    json_set_text(object, "file", frame->file);
    json_set_text(object, "folder", frame->folder);
    if (frame->line > 0)
        json_object_set_new(object, "line", json_integer(frame->line));
    if (frame->is_inlined)
        json_object_set_new(object, "inlined", json_true());
    return object;
}

static json_t *symbol_json(const struct report_address *address, const struct symbol *symbol)
{
    json_t *object = json_object();
    json_t *frames = json_array();
    char offset[24];
    snprintf(offset, sizeof offset, "0x%" PRIx64, address->offset);
    json_object_set_new(object, "module", json_integer(address->module));
    json_set_text(object, "offset", offset);
    for (size_t i = 0; i < symbol->count; i++)
        json_array_append_new(frames, json_frame(&symbol->frames[i]));
    json_object_set_new(object, "frames", frames);
    return object;
}

static int order_addresses(const void *left, const void *right)
{
    const struct report_address *a = left;
    const struct report_address *b = right;
    if (a->module != b->module)
        return a->module < b->module ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Every address once. */
static struct report_address *all_addresses(const struct report *report, size_t *count_out)
{
    size_t count = 0;
    for (size_t i = 0; i < report->stack_count; i++)
        count += report->stacks[i].count;
    struct report_address *addresses = memory_take(count, sizeof *addresses);
    count = 0;
    for (size_t i = 0; i < report->stack_count; i++)
        for (size_t j = 0; j < report->stacks[i].count; j++)
            addresses[count++] = report->stacks[i].addresses[j];
    qsort(addresses, count, sizeof *addresses, order_addresses);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || order_addresses(&addresses[kept - 1], &addresses[i]) != 0)
            addresses[kept++] = addresses[i];
    *count_out = kept;
    return addresses;
}

static void write_item(json_t *item, bool is_first, FILE *out)
{
    fputs(is_first ? "\n  " : ",\n  ", out);
    json_dumpf(item, out, JSON_ENCODE_ANY);
    json_decref(item);
}

static void write_symbols(const struct render *render)
{
    size_t count;
    bool is_first = true;
    struct report_address *addresses = all_addresses(render->report, &count);
    for (size_t i = 0; i < count; i++) {
        struct symbol symbol = names_find(render->names, &addresses[i]);
        if (symbol.count == 0)
            continue;
        write_item(symbol_json(&addresses[i], &symbol), is_first, render->out);
        is_first = false;
    }
    free(addresses);
}

json_t *json_amount(const struct report_amount *amount)
{
    return json_pack("{s:I, s:I}", "blocks", (json_int_t)amount->blocks, "bytes",
                     (json_int_t)amount->bytes);
}

static void set_totals(const struct render *render, json_t *root)
{
    json_t *totals = json_object();
    for (enum report_class class = 0; class < CLASS_COUNT; class++)
        json_object_set_new(totals, class_name_list[class],
                            json_amount(&render->report->totals[class]));
    json_object_set_new(root, "totals", totals);
}

/* A record that the command suppressed says what it was, and by what. */
static json_t *suppressed_json(const struct render *render, size_t index)
{
    const struct report_record *record = &render->report->records[index];
    json_t *object = source_item(render->report->source, LIST_RECORDS, index);
    json_set_text(object, "class", class_name_list[record->class]);
    json_set_text(object, "class_before", class_name_list[record->class_before]);
    json_set_text(object, "suppressed_by", record->suppressed_by);
    return object;
}

/* As they were read, but for records that are suppressed now. */
static void write_items(const struct render *render, enum source_list list)
{
    const struct source *source = render->report->source;
    for (size_t i = 0; i < source->counts[list]; i++) {
        const struct source_item *item = &source->items[list][i];
        const struct report_record *record = list == LIST_RECORDS ? &render->report->records[i] : NULL;
        if (record != NULL && record->class != record->class_before) {
            write_item(suppressed_json(render, i), i == 0, render->out);
            continue;
        }
        fputs(i == 0 ? "\n  " : ",\n  ", render->out);
        fwrite(item->text, 1, item->length, render->out);
    }
}

static void add_suppressions(const struct render *render, json_t *root)
{
    json_t *list = json_object_get(root, "suppressions");
    const char *text;
    const char *source;
    struct report_amount amount;
    if (!json_is_array(list)) {
        list = json_array();
        json_object_set_new(root, "suppressions", list);
    }
    for (size_t i = 0; suppressions_used(render->suppressions, i, &text, &source, &amount); i++) {
        json_t *object = json_amount(&amount);
        json_set_text(object, "text", text);
        json_set_text(object, "source", source);
        json_array_append_new(list, object);
    }
}

int json_write(json_t *root, FILE *out)
{
    int result = json_dumpf(root, out, JSON_INDENT(1));
    putc('\n', out);
    json_decref(root);
    return result;
}

static enum source_list list_of(const char *key)
{
    enum source_list list = 0;
    while (list < LIST_COUNT && strcmp(key, source_list_keys[list]) != 0)
        list++;
    return list;
}

/* Long lists go from their text to the output, item by item; names come last, since they are the command's. */
static void write_document(const struct render *render, json_t *root)
{
    const char *key;
    json_t *value;
    FILE *out = render->out;
    json_object_del(root, source_list_keys[LIST_SYMBOLS]);
    putc('{', out);
    json_object_foreach(root, key, value) {
        enum source_list list = list_of(key);
        json_t *name = json_string(key);
        fputs("\n ", out);
        json_dumpf(name, out, JSON_ENCODE_ANY);
        fputs(": ", out);
        json_decref(name);
        if (list == LIST_COUNT) {
            json_dumpf(value, out, JSON_ENCODE_ANY);
        } else {
            putc('[', out);
            write_items(render, list);
            putc(']', out);
        }
        putc(',', out);
    }
    fprintf(out, "\n \"%s\": [", source_list_keys[LIST_SYMBOLS]);
    write_symbols(render);
    fputs("]\n}\n", out);
}

int render_json(const struct render *render)
{
    json_t *root = json_deep_copy(render->report->source->rest);
    if (root == NULL) {
        say_error("out of memory");
        return -1;
    }
    set_totals(render, root);
    add_suppressions(render, root);
    write_document(render, root);
    json_decref(root);
    return ferror(render->out) ? -1 : 0;
}
