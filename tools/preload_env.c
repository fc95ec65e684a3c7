/*
 * tools/preload_env: the two environment variables that put a program on gcalloc.
 */
#include "tools/preload_env.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ld.so splits LD_PRELOAD at both, and knows no way to quote them. */
static const char separators[] = ": ";

static bool is_the_library(const char *item, size_t length, const char *library)
{
    return strlen(library) == length && memcmp(item, library, length) == 0;
}

/* The list without the library: a gcalloc under a gcalloc must not make it longer each time. */
static void copy_others(char *list_out, const char *list, const char *library)
{
    while (*list != '\0') {
        size_t length = strcspn(list, separators);
        if (length > 0 && !is_the_library(list, length, library)) {
            *list_out++ = ':';
            memcpy(list_out, list, length);
            list_out += length;
        }
        list += length + (list[length] != '\0');
    }
    *list_out = '\0';
}

int preload_env_add_library(const char *library)
{
    if (strpbrk(library, separators) != NULL)
        return -EINVAL;
    const char *present = getenv("LD_PRELOAD");
    if (present == NULL)
        present = "";
    size_t library_length = strlen(library);
    char *list = malloc(library_length + strlen(present) + 2);
    if (list == NULL)
        return -ENOMEM;
    memcpy(list, library, library_length);
    copy_others(list + library_length, present, library);
    int result = setenv("LD_PRELOAD", list, 1) == 0 ? 0 : -errno;
    free(list);
    return result;
}

int preload_env_add_options(const char *options)
{
    const char *present = getenv("GCALLOC_OPTIONS");
    char *merged;
    if (present == NULL || *present == '\0')
        merged = strdup(options);
    else if (asprintf(&merged, "%s,%s", present, options) < 0)
        merged = NULL;
    if (merged == NULL)
        return -ENOMEM;
    int result = setenv("GCALLOC_OPTIONS", merged, 1) == 0 ? 0 : -errno;
    free(merged);
    return result;
}

bool preload_env_value(const char *option, char *value_out, size_t size_bytes)
{
    const char *item = getenv("GCALLOC_OPTIONS");
    size_t length = strlen(option);
    bool is_found = false;
    while (item != NULL) {
        item += *item == ',';
        if (strncmp(item, option, length) == 0 && item[length] == '=') {
            const char *value = item + length + 1;
            snprintf(value_out, size_bytes, "%.*s", (int)strcspn(value, ","), value);
            is_found = true;
        }
        item = strchr(item, ',');
    }
    return is_found;
}

bool preload_env_has_value(const char *option)
{
    char value[2];
    return preload_env_value(option, value, sizeof value);
}
