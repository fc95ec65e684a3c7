/*
 * preload/text: formatted text in an arena. Here and not in own, since only libc can do all that printf does.
 */
#include "gcalloc/text.h"
#include "preload/export.h"

#include <stdio.h>

/* Straight into what is left of the arena's chunk, where most texts fit; else a second time, into enough. */
EXPORT char *gca_arena_vprintf(gca_arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    size_t room = (size_t)(arena->limit - arena->next);
    int length = vsnprintf(room != 0 ? arena->next : NULL, room, format, arguments);
    char *text = length < 0 ? NULL : gca_arena_alloc_aligned(arena, (size_t)length + 1, 1);
    if (text != NULL && (size_t)length >= room)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

EXPORT char *gca_arena_printf(gca_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = gca_arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}
