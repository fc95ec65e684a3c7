/*
 * gc/dirty: marks once more from the blocks on pages that were written while marking went on.
 *
 * What counts is every block on the page that is marked already, or that was allocated since the cycle began: those need no
 * mark, but what they hold does. Blocks not marked yet are scanned whole if they ever are.
 *
 * Uses heap. Locks: the run lock, for some pages at a time.
 */
#ifndef GC_DIRTY_H
#define GC_DIRTY_H

#include "gc/mark.h"

#include <stdbool.h>
#include <stdint.h>

/* For whole pages inside the heap. Threads may run; then what they write from now on is written once more. */
void dirty_mark(struct marker *marker, uintptr_t start, uintptr_t end);

/* The same while all others are stopped and the caller holds the run lock. */
void dirty_mark_stopped(struct marker *marker, uintptr_t start, uintptr_t end);

/* For gc/check: from now on all pages marked from are noted, until they are marked from again all together. */
void dirty_note_start(void);
void dirty_mark_noted(struct marker *marker);

#endif
