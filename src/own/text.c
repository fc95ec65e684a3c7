/*
 * own/text: text and copies in an arena.
 *
 * Uses os, heap. Locks: none.
 */
#include "gcalloc/text.h"

#include "heap/allocate.h"
#include "os/output.h"
#include "own/export.h"

#include <errno.h>

enum { READ_BYTES_MIN = 4096 };

/* `bytes` and a zero byte behind. */
static char *copy_text(gca_arena *arena, const char *bytes, size_t length)
{
    char *copy = length == SIZE_MAX ? NULL : gca_arena_alloc_aligned(arena, length + 1, 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

EXPORT char *gca_arena_strdup(gca_arena *arena, const char *text)
{
    return copy_text(arena, text, strlen(text));
}

EXPORT char *gca_arena_strndup(gca_arena *arena, const char *text, size_t length)
{
    const char *end = memchr(text, '\0', length);
    return copy_text(arena, text, end != NULL ? (size_t)(end - text) : length);
}

EXPORT void *gca_arena_memdup(gca_arena *arena, const void *bytes, size_t size_bytes)
{
    void *copy = gca_arena_alloc(arena, size_bytes);
    return copy != NULL && size_bytes != 0 ? memcpy(copy, bytes, size_bytes) : copy;
}

EXPORT char *gca_arena_concat(gca_arena *arena, ...)
{
    va_list texts;
    size_t length = 0;
    va_start(texts, arena);
    for (const char *text = va_arg(texts, const char *); text != NULL; text = va_arg(texts, const char *))
        length += strlen(text);
    va_end(texts);
    char *all = gca_arena_alloc_aligned(arena, length + 1, 1);
    if (all == NULL)
        return NULL;
    char *end = all;
    va_start(texts, arena);
    for (const char *text = va_arg(texts, const char *); text != NULL; text = va_arg(texts, const char *)) {
        size_t part = strlen(text);
        memcpy(end, text, part);
        end += part;
    }
    va_end(texts);
    *end = '\0';
    return all;
}

/* Up to room bytes. Returns how many there were, or -errno. */
static long read_up_to(int descriptor, char *bytes, size_t room)
{
    size_t filled = 0;
    while (filled < room) {
        long count = os_read(descriptor, bytes + filled, room - filled);
        if (count < 0)
            return count;
        if (count == 0)
            break;
        filled += (size_t)count;
    }
    return (long)filled;
}

/* What the kernel says of a file's size is a hint: files in /proc have none, others may grow. */
static char *read_all(gca_arena *arena, int descriptor, size_t *size_out)
{
    size_t room = os_file_bytes(descriptor) + 1;
    size_t filled = 0;
    char *bytes = NULL;
    for (room = room < READ_BYTES_MIN ? READ_BYTES_MIN : room;; room *= 2) {
        char *larger = gca_arena_alloc_aligned(arena, room, 1);
        if (larger == NULL)
            return NULL;
        if (filled != 0)
            memcpy(larger, bytes, filled);
        bytes = larger;
        long count = read_up_to(descriptor, bytes + filled, room - filled);
        if (count < 0) {
            errno = (int)-count;
            return NULL;
        }
        filled += (size_t)count;
        if (filled < room)
            break;
    }
    bytes[filled] = '\0';
    *size_out = filled;
    return bytes;
}

EXPORT char *gca_arena_read_file(gca_arena *arena, const char *path, size_t *size_out)
{
    size_t size_bytes;
    int descriptor = os_open_read(path);
    if (descriptor < 0) {
        errno = -descriptor;
        return NULL;
    }
    char *bytes = read_all(arena, descriptor, &size_bytes);
    os_close(descriptor);
    if (bytes != NULL && size_out != NULL)
        *size_out = size_bytes;
    return bytes;
}

EXPORT void *gca_copy_out(const void *bytes, size_t size_bytes)
{
    void *copy = heap_allocate(size_bytes);
    if (copy == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    return size_bytes != 0 ? memcpy(copy, bytes, size_bytes) : copy;
}
