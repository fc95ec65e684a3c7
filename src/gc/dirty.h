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

/*
 * Pages that were written are noted: a page that is protected again looks as if it had not been. dirty_turn() begins anew, and keeps
 * what there was until then for dirty_mark_before(); dirty_is_known() tells before that whether it is complete.
 */
void dirty_note(uintptr_t start, uintptr_t end);
bool dirty_is_known(void);
void dirty_turn(void);

/* Marks from pages noted before the last turn, some at a time, from number `page` on; returns the next, SIZE_MAX at the end. */
size_t dirty_mark_before(struct marker *marker, size_t page);

/* For gc/check: from all that were noted since, while all others are stopped. */
void dirty_mark_noted(struct marker *marker);

#endif
