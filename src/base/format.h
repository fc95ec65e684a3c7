/*
 * base/format: text into a fixed buffer, without malloc, stdio or locale.
 *
 * What does not fit is cut off; the text always ends in a zero byte.
 */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include "base/compiler.h"

#include <stdarg.h>
#include <stddef.h>

struct text {
    char *bytes;
    size_t size_bytes; /* of the buffer, at least 1 */
    size_t length;     /* without the zero byte; less than size_bytes */
};

/* An empty text in the buffer. */
struct text text_in(char *buffer, size_t size_bytes);

/*
 * Appends. Understands %s %c %d %u %x %ld %lu %lx %zu %p %%, and a width with blanks before numbers or after strings
 * (%8lu, %-8s).
 */
void text_add(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_add_list(struct text *text, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

/* Appends a size with a unit, at most four digits: "0 B", "48 B", "1.5 KiB", "312 MiB". */
void text_add_size(struct text *text, unsigned long size_bytes);

#endif
