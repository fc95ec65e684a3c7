/*
 * gcalloc/text.h: text and copies in an arena. See gcalloc_arena(3).
 *
 * Every text ends in a zero byte. What fails returns NULL and sets errno, ENOMEM if nothing else is said, and the arena is
 * as before but for memory that its next reset gives back. What is returned is the arena's and ends with it. Threads: as gcalloc/arena.h.
 */
#ifndef GCALLOC_TEXT_H
#define GCALLOC_TEXT_H

#include <gcalloc/arena.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A copy of the text. */
char *gca_arena_strdup(gca_arena *arena, const char *text) GCA_READS(arena) GCA_FRESH;

/* At most `length` bytes of it. */
char *gca_arena_strndup(gca_arena *arena, const char *text, size_t length) GCA_READS(arena) GCA_FRESH;

/* A copy of size_bytes bytes, aligned for any object. */
void *gca_arena_memdup(gca_arena *arena, const void *bytes, size_t size_bytes) GCA_READS(arena) GCA_FRESH;

/* All of these texts, one behind the other; a NULL ends the list. */
char *gca_arena_concat(gca_arena *arena, ...) GCA_READS(arena) GCA_FRESH __attribute__((sentinel));

/* Formatted as by printf(3), whose errno it sets for what can't be formatted. */
char *gca_arena_printf(gca_arena *arena, const char *format, ...) GCA_READS(arena) GCA_FRESH
    __attribute__((format(printf, 2, 3)));
char *gca_arena_vprintf(gca_arena *arena, const char *format, va_list arguments) GCA_READS(arena) GCA_FRESH
    __attribute__((format(printf, 2, 0)));

/*
 * The whole file, and a zero byte behind it. How many bytes it has goes to *size_out unless that is NULL. errno is that of
 * open(2) or read(2).
 */
char *gca_arena_read_file(gca_arena *arena, const char *path, size_t *size_out) GCA_READS(arena) GCA_FRESH;

/* A copy that is malloc's, for what is to outlive its arena: freed with free(). NULL and ENOMEM. From any thread. */
void *gca_copy_out(const void *bytes, size_t size_bytes) GCA_OWNED(free) __attribute__((malloc, warn_unused_result));

#ifdef __cplusplus
}
#endif

#ifdef GCA_CHECK
#define GCA_CHECK_TEXT_
#include <gcalloc/check.h>
#endif

#endif
