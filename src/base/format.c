/*
 * base/format: text into a fixed buffer.
 *
 * Locks: none.
 */
#include "base/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct directive {
    bool left;
    uint32_t width;
    bool is_long;
    char kind;
};

struct text text_in(char *buffer, size_t size_bytes)
{
    buffer[0] = '\0';
    return (struct text){.bytes = buffer, .size_bytes = size_bytes, .length = 0};
}

static void add_bytes(struct text *text, const char *bytes, size_t count)
{
    size_t room = text->size_bytes - 1 - text->length;
    if (count > room)
        count = room;
    memcpy(text->bytes + text->length, bytes, count);
    text->length += count;
    text->bytes[text->length] = '\0';
}

static void add_blanks(struct text *text, size_t count)
{
    while (count-- > 0)
        add_bytes(text, " ", 1);
}

static void add_padded(struct text *text, const struct directive *directive, const char *bytes, size_t count)
{
    size_t blanks = directive->width > count ? directive->width - count : 0;
    if (!directive->left)
        add_blanks(text, blanks);
    add_bytes(text, bytes, count);
    if (directive->left)
        add_blanks(text, blanks);
}

static void add_number(struct text *text, const struct directive *directive, uint64_t value, uint32_t base,
                       const char *prefix)
{
    char digits[32];
    size_t start = sizeof digits;
    do {
        digits[--start] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    for (size_t i = strlen(prefix); i > 0; i--)
        digits[--start] = prefix[i - 1];
    add_padded(text, directive, digits + start, sizeof digits - start);
}

static void add_signed(struct text *text, const struct directive *directive, int64_t value)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    add_number(text, directive, magnitude, 10, value < 0 ? "-" : "");
}

static const char *read_directive(const char *format, struct directive *directive)
{
    *directive = (struct directive){0};
    if (*format == '-') {
        directive->left = true;
        format++;
    }
    while (*format >= '0' && *format <= '9')
        directive->width = directive->width * 10 + (uint32_t)(*format++ - '0');
    while (*format == 'l' || *format == 'z') {
        directive->is_long = true;
        format++;
    }
    directive->kind = *format;
    return *format == '\0' ? format : format + 1;
}

void text_add_list(struct text *text, const char *format, va_list arguments)
{
    while (*format != '\0') {
        const char *percent = strchr(format, '%');
        if (percent == NULL) {
            add_bytes(text, format, strlen(format));
            return;
        }
        add_bytes(text, format, (size_t)(percent - format));
        struct directive directive;
        format = read_directive(percent + 1, &directive);
        switch (directive.kind) {
        case 's': {
            const char *string = va_arg(arguments, const char *);
            add_padded(text, &directive, string, strlen(string));
            break;
        }
        case 'c': {
            char byte = (char)va_arg(arguments, int);
            add_padded(text, &directive, &byte, 1);
            break;
        }
        case 'd':
            add_signed(text, &directive, directive.is_long ? va_arg(arguments, long) : va_arg(arguments, int));
            break;
        case 'u':
        case 'x':
            add_number(text, &directive,
                       directive.is_long ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned),
                       directive.kind == 'u' ? 10 : 16, "");
            break;
        case 'p':
            add_number(text, &directive, (uintptr_t)va_arg(arguments, void *), 16, "0x");
            break;
        default:
            add_bytes(text, &directive.kind, 1);
        }
    }
}

void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_add_list(text, format, arguments);
    va_end(arguments);
}

void text_add_size(struct text *text, unsigned long size_bytes)
{
    static const char units[][4] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    uint32_t unit = 0;
    unsigned long tenths = size_bytes * 10;
    if (size_bytes > (1ul << 50))
        tenths = size_bytes / 1024 * 10, unit = 1;
    while (tenths >= 10240 && unit + 1 < sizeof units / sizeof units[0]) {
        tenths = (tenths + 512) / 1024;
        unit++;
    }
    if (unit == 0 || tenths >= 1000)
        text_add(text, "%lu %s", tenths / 10, units[unit]);
    else
        text_add(text, "%lu.%lu %s", tenths / 10, tenths % 10, units[unit]);
}
