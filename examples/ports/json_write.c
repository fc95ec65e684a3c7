/* json_write: a document as text. The text grows at the arena's end, in steps that leave the old one behind. */
#include "json.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

struct writer {
    gca_arena *arena;
    char *text; /* NULL once memory was short */
    size_t length;
    size_t room;
    bool is_indented;
};

static void put(struct writer *writer, const char *bytes, size_t count)
{
    if (writer->text == NULL)
        return;
    if (count >= writer->room - writer->length) {
        size_t room = (writer->room + count) * 2;
        char *larger = gca_arena_alloc_aligned(writer->arena, room, 1);
        if (larger != NULL)
            memcpy(larger, writer->text, writer->length);
        writer->text = larger;
        writer->room = room;
        if (larger == NULL)
            return;
    }
    memcpy(writer->text + writer->length, bytes, count);
    writer->length += count;
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void put_line(struct writer *writer, int depth)
{
    if (!writer->is_indented)
        return;
    put(writer, "\n", 1);
    for (int i = 0; i < depth; i++)
        put(writer, "  ", 2);
}

static void put_string(struct writer *writer, const char *string, size_t length)
{
    static const char names[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    put(writer, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)string[i];
        const char *name = c == '\0' ? NULL : strchr(names, c);
        char escape[8];
        if (name != NULL)
            put(writer, (char[]){'\\', letters[name - names]}, 2);
        else if (c < 0x20)
            put(writer, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
        else
            put(writer, &string[i], 1);
    }
    put(writer, "\"", 1);
}

/* As short as it can be and still be read as the same number. */
static void put_number(struct writer *writer, double number)
{
    char text[32];
    int length = 0;
    if (fabs(number) < 1e15 && number == (double)(int64_t)number)
        length = snprintf(text, sizeof text, "%lld", (long long)number);
    else
        length = snprintf(text, sizeof text, "%.17g", number);
    put(writer, text, (size_t)length);
}

static void put_value(struct writer *writer, const struct json *value, int depth);

static void put_items(struct writer *writer, const struct json *list, int depth)
{
    put(writer, list->type == JSON_OBJECT ? "{" : "[", 1);
    for (const struct json *item = list->first; item != NULL; item = item->next) {
        if (item != list->first)
            put(writer, ",", 1);
        put_line(writer, depth + 1);
        if (list->type == JSON_OBJECT) {
            put_string(writer, item->name, strlen(item->name));
            put_text(writer, writer->is_indented ? ": " : ":");
        }
        put_value(writer, item, depth + 1);
    }
    if (list->first != NULL)
        put_line(writer, depth);
    put(writer, list->type == JSON_OBJECT ? "}" : "]", 1);
}

static void put_value(struct writer *writer, const struct json *value, int depth)
{
    switch (value->type) {
    case JSON_NULL:
        put_text(writer, "null");
        break;
    case JSON_BOOL:
        put_text(writer, value->boolean ? "true" : "false");
        break;
    case JSON_NUMBER:
        put_number(writer, value->number);
        break;
    case JSON_STRING:
        put_string(writer, value->string, value->length);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        put_items(writer, value, depth);
        break;
    }
}

char *json_write(gca_arena *arena, const struct json *value, bool is_indented)
{
    struct writer writer = {arena, gca_arena_alloc_aligned(arena, 256, 1), 0, 256, is_indented};
    put_value(&writer, value, 0);
    put(&writer, "", 1);
    return writer.text;
}
