/*
 * heap/large: blocks beyond the largest size class, each a run of units of its own. Thread-safe.
 */
#ifndef HEAP_LARGE_H
#define HEAP_LARGE_H

#include "heap/unit.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A block of at least size_bytes, aligned to align_bytes (a power of two). With `zeroed` it reads as zero; only the units
 * that hold old data are cleared. NULL when memory is short.
 */
void *large_allocate(size_t size_bytes, size_t align_bytes, bool zeroed);

/* Frees the block; `unit` is the descriptor of the unit that holds the pointer and is of kind UNIT_LARGE. */
void large_free(void *block, struct unit *unit, void *caller);

/*
 * Resizes the block, in place if it can, else by moving its pages. Returns the block, which may have moved, or NULL with
 * the old one as it was.
 */
void *large_resize(void *block, struct span *span, size_t size_bytes);

#endif
