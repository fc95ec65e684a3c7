#include "tools/report/memory.h"

#include "tools/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *given(void *memory)
{
    if (memory != NULL)
        return memory;
    say_error("out of memory");
    exit(STATUS_FAILED);
}

void *memory_take(size_t count, size_t size_bytes)
{
    return given(calloc(count > 0 ? count : 1, size_bytes));
}

/* The capacity follows from the count, so nobody has to keep it: 8, 16, 32, ... */
void *memory_grow(void *array, size_t count, size_t size_bytes)
{
    enum { FIRST = 8 };
    bool is_full = count == 0 || (count >= FIRST && (count & (count - 1)) == 0);
    if (!is_full)
        return array;
    return given(reallocarray(array, count == 0 ? FIRST : 2 * count, size_bytes));
}

char *memory_copy(const char *text)
{
    return given(strdup(text));
}

char *memory_format(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return given(length < 0 ? NULL : text);
}

bool text_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

const char *text_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}
