#include "tools/report/source.h"

#include "tools/report/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *const source_list_keys[LIST_COUNT] = {"records", "stacks", "symbols", "history"};

enum { KEPT_BYTES = 1 << 16 };

struct kept_text {
    struct kept_text *next;
    size_t used;
    char bytes[KEPT_BYTES];
};

/* ---- finding items ---- */

/* What is between `at` and the end is looked at; NULL everywhere: it ends too soon. */
struct scan {
    const char *at;
    const char *end;
};

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
        scan->at++;
}

static bool skip_char(struct scan *scan, char wanted)
{
    skip_space(scan);
    if (scan->at == scan->end || *scan->at != wanted)
        return false;
    scan->at++;
    return true;
}

static bool skip_string(struct scan *scan)
{
    for (scan->at++; scan->at < scan->end; scan->at++) {
        if (*scan->at == '"') {
            scan->at++;
            return true;
        }
        scan->at += *scan->at == '\\';
    }
    return false;
}

/* Up to what ends it; whether it is JSON inside is for others to see. */
static bool skip_value(struct scan *scan)
{
    size_t depth = 0;
    skip_space(scan);
    while (scan->at < scan->end) {
        char next = *scan->at;
        if (next == '"') {
            if (!skip_string(scan))
                return false;
        } else if (depth == 0 && (next == ',' || next == ']' || next == '}')) {
            return true;
        } else {
            depth += next == '[' || next == '{';
            depth -= next == ']' || next == '}';
            scan->at++;
        }
    }
    return false;
}

static bool scan_items(struct source *source, enum source_list list, struct scan *scan)
{
    source->counts[list] = 0; /* of two keys that are the same the last one counts */
    skip_space(scan);
    while (scan->at < scan->end && *scan->at != ']') {
        struct source_item item = {.text = scan->at};
        if (!skip_value(scan))
            return false;
        item.length = (size_t)(scan->at - item.text);
        source->items[list] = memory_grow(source->items[list], source->counts[list], sizeof item);
        source->items[list][source->counts[list]++] = item;
        if (!skip_char(scan, ','))
            break;
        skip_space(scan);
        if (scan->at < scan->end && *scan->at == ']') /* behind a comma */
            return false;
    }
    return scan->at < scan->end && *scan->at == ']';
}

static enum source_list list_named(const char *key, size_t length)
{
    enum source_list list = 0;
    while (list < LIST_COUNT &&
           (strlen(source_list_keys[list]) != length || strncmp(source_list_keys[list], key, length) != 0))
        list++;
    return list;
}

/* Without the items of long lists. */
struct shortened {
    char *text;
    size_t length;
};

static void append(struct shortened *shortened, const char *from, const char *to)
{
    memcpy(shortened->text + shortened->length, from, (size_t)(to - from));
    shortened->length += (size_t)(to - from);
}

/* One key with its value. */
static bool scan_member(struct source *source, struct scan *scan, struct shortened *shortened)
{
    skip_space(scan);
    const char *start = scan->at;
    if (scan->at == scan->end || *scan->at != '"' || !skip_string(scan))
        return false;
    enum source_list list = list_named(start + 1, (size_t)(scan->at - start) - 2);
    if (!skip_char(scan, ':'))
        return false;
    skip_space(scan);
    bool is_long = list != LIST_COUNT && scan->at < scan->end && *scan->at == '[';
    if (!is_long) {
        bool is_whole = skip_value(scan);
        append(shortened, start, scan->at);
        return is_whole;
    }
    append(shortened, start, ++scan->at);
    if (!scan_items(source, list, scan))
        return false;
    append(shortened, scan->at, scan->at + 1);
    scan->at++;
    return true;
}

static bool scan_document(struct source *source, struct scan *scan, struct shortened *shortened)
{
    if (!skip_char(scan, '{'))
        return false;
    append(shortened, "{", &"{"[1]);
    do {
        if (!scan_member(source, scan, shortened))
            return false;
        skip_space(scan);
        append(shortened, scan->at, scan->at + (scan->at < scan->end));
    } while (skip_char(scan, ','));
    if (!skip_char(scan, '}'))
        return false;
    append(shortened, scan->at, scan->end); /* there should be nothing */
    return true;
}

/* ---- from outside ---- */

struct source *source_open(const char *text, size_t length, json_error_t *error_out)
{
    struct source *source = memory_take(1, sizeof *source);
    struct scan scan = {text, text + length};
    struct shortened shortened = {memory_take(length + 2, 1), 0};
    if (scan_document(source, &scan, &shortened))
        source->rest = json_loadb(shortened.text, shortened.length, 0, error_out);
    free(shortened.text);
    if (source->rest != NULL)
        return source;
    /* Where it is wrong, in the lines of the whole. */
    json_decref(json_loadb(text, length, 0, error_out));
    source_close(source);
    return NULL;
}

void source_close(struct source *source)
{
    if (source == NULL)
        return;
    for (enum source_list list = 0; list < LIST_COUNT; list++)
        free(source->items[list]);
    while (source->kept != NULL) {
        struct kept_text *next = source->kept->next;
        free(source->kept);
        source->kept = next;
    }
    json_decref(source->rest);
    free(source);
}

json_t *source_item(const struct source *source, enum source_list list, size_t index)
{
    const struct source_item *item = &source->items[list][index];
    return json_loadb(item->text, item->length, JSON_DECODE_ANY, NULL);
}

const char *source_keep(struct source *source, const char *text)
{
    size_t bytes = strlen(text) + 1;
    struct kept_text *kept = source->kept;
    if (kept == NULL || bytes > KEPT_BYTES - kept->used) {
        size_t room = bytes > KEPT_BYTES ? bytes - KEPT_BYTES : 0;
        kept = memory_take(1, sizeof *kept + room);
        kept->next = source->kept;
        source->kept = kept;
    }
    char *copy = kept->bytes + kept->used;
    memcpy(copy, text, bytes);
    kept->used += bytes < KEPT_BYTES ? bytes : KEPT_BYTES;
    return copy;
}
