/*
 * tools/report/memory: memory for a command that ends when there is none, and growing text.
 *
 * Nothing in here returns NULL: a report that is too large for the machine ends in one line.
 */
#ifndef TOOLS_REPORT_MEMORY_H
#define TOOLS_REPORT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed. */
void *memory_take(size_t count, size_t size_bytes);

/* Makes room for one more than count in an array that doubles: call it before each append. */
void *memory_grow(void *array, size_t count, size_t size_bytes);

char *memory_copy(const char *text);

/* As asprintf. */
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether text has this end. */
bool text_ends_with(const char *text, const char *end);

/* What follows the last slash. */
const char *text_base_name(const char *path);

#endif
