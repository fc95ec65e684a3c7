/*
 * heap/misuse: one clear report of what the program did wrong, then what on_error says.
 *
 * With on_error=abort these do not return. With on_error=report the caller ignores the bad call. caller is the
 * program's return address, or NULL when the deed was long ago.
 */
#ifndef HEAP_MISUSE_H
#define HEAP_MISUSE_H

#include <stddef.h>

struct unit;

void misuse_double_free(void *pointer, size_t size_bytes, void *caller);

/* A pointer into the heap that starts no allocated block. */
void misuse_invalid_free(void *pointer, void *caller);

/* A pointer into a unit that holds no span now; it may have held one whose block was freed. */
void misuse_free_of_free_unit(void *pointer, const struct unit *unit, void *caller);

/* A pointer outside every heap. */
void misuse_foreign_free(void *pointer, void *caller);

void misuse_sized_free(void *pointer, size_t block_bytes, size_t size_bytes, void *caller);

/* realloc() of anything but the start of an allocated block. */
void misuse_resize(void *pointer, void *caller);

#endif
