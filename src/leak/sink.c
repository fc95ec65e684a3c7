/*
 * leak/sink: where a report goes.
 *
 * Locks: none.
 */
#include "leak/sink.h"

#include "base/format.h"

#include <stdbool.h>
#include <string.h>

void sink_start(struct sink *sink, int (*write)(void *context, const char *bytes, size_t size_bytes), void *context)
{
    sink->write = write;
    sink->context = context;
    sink->result = 0;
    sink->used = 0;
}

static void flush(struct sink *sink)
{
    if (sink->used > 0 && sink->result == 0)
        sink->result = sink->write(sink->context, sink->bytes, sink->used);
    sink->used = 0;
}

int sink_finish(struct sink *sink)
{
    flush(sink);
    return sink->result;
}

void sink_bytes(struct sink *sink, const char *bytes, size_t count)
{
    while (count > 0) {
        size_t room = sizeof sink->bytes - sink->used;
        size_t now = count < room ? count : room;
        memcpy(sink->bytes + sink->used, bytes, now);
        sink->used += now;
        bytes += now;
        count -= now;
        if (sink->used == sizeof sink->bytes)
            flush(sink);
    }
}

void sink_text(struct sink *sink, const char *text)
{
    sink_bytes(sink, text, strlen(text));
}

void sink_number(struct sink *sink, uint64_t number)
{
    char buffer[24];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "%lu", number);
    sink_bytes(sink, text.bytes, text.length);
}

void sink_hex(struct sink *sink, uint64_t number, unsigned digits)
{
    char buffer[24];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "%lx", number);
    for (size_t i = text.length; i < digits; i++)
        sink_bytes(sink, "0", 1);
    sink_bytes(sink, text.bytes, text.length);
}

void sink_size(struct sink *sink, uint64_t size_bytes)
{
    char buffer[24];
    struct text text = text_in(buffer, sizeof buffer);
    text_add_size(&text, size_bytes);
    sink_bytes(sink, text.bytes, text.length);
}

void sink_count(struct sink *sink, uint64_t count)
{
    char buffer[24];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "%lu", count);
    for (size_t i = 0; i < text.length; i++) {
        if (i > 0 && (text.length - i) % 3 == 0)
            sink_bytes(sink, ",", 1);
        sink_bytes(sink, &text.bytes[i], 1);
    }
}

/* ---- strings ---- */

/* The bytes of the UTF-8 sequence at the text's beginning; 0 when it is none. */
static size_t sequence_bytes(const unsigned char *text)
{
    static const struct {
        unsigned char mask, value;
        uint32_t least;
    } leads[] = {{0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    if (text[0] < 0x80)
        return 1;
    for (size_t more = 1; more <= 3; more++) {
        if ((text[0] & leads[more - 1].mask) != leads[more - 1].value)
            continue;
        uint32_t code = text[0] & (unsigned char)~leads[more - 1].mask;
        for (size_t i = 1; i <= more; i++) {
            if ((text[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (text[i] & 0x3f);
        }
        bool is_surrogate = code >= 0xd800 && code < 0xe000;
        return code < leads[more - 1].least || code > 0x10ffff || is_surrogate ? 0 : more + 1;
    }
    return 0;
}

static void json_byte(struct sink *sink, char byte)
{
    if (byte == '"' || byte == '\\')
        sink_bytes(sink, "\\", 1);
    if ((unsigned char)byte >= ' ' && byte != 0x7f) {
        sink_bytes(sink, &byte, 1);
        return;
    }
    sink_text(sink, "\\u");
    sink_hex(sink, (unsigned char)byte, 4);
}

void sink_json_part(struct sink *sink, const char *text)
{
    while (*text != '\0') {
        size_t count = sequence_bytes((const unsigned char *)text);
        if (count == 0)
            sink_text(sink, "\xef\xbf\xbd");
        else if (count == 1)
            json_byte(sink, *text);
        else
            sink_bytes(sink, text, count);
        text += count == 0 ? 1 : count;
    }
}

void sink_json(struct sink *sink, const char *text)
{
    sink_bytes(sink, "\"", 1);
    sink_json_part(sink, text);
    sink_bytes(sink, "\"", 1);
}
