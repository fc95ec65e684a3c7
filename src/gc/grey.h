/*
 * gc/grey: where blocks are that are marked and still to be scanned, but in no worklist.
 *
 * Such a block has a bit that says so (struct white_place), and the unit it starts in (of a large block, any of its units) has a flag here. So nothing can
 * overflow; and who takes the units in order of their addresses finds most of a page's blocks at once, where a worklist would lead
 * to and fro. Several markers share what is grey: this is also how one gives work to another.
 *
 * Locks: its own, innermost.
 */
#ifndef GC_GREY_H
#define GC_GREY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for so many units, none of them flagged. Nobody marks. Returns 0 or -ENOMEM. */
int grey_prepare(size_t unit_count);

extern uint8_t *grey_units;
extern _Atomic bool grey_any; /* a hint: some may be flagged */

/* A block that starts in the unit is grey: its bit has been set before. Whoever calls this comes to grey_take() once more. */
static inline void grey_note(size_t unit)
{
    __atomic_store_n(&grey_units[unit], 1, __ATOMIC_RELEASE);
    if (!atomic_load_explicit(&grey_any, memory_order_relaxed))
        atomic_store_explicit(&grey_any, true, memory_order_relaxed);
}

/* Some units in a row, the first of which is flagged, for the caller alone to look through; false if no unit is flagged. */
bool grey_take(size_t *first_out, size_t *end_out);

/* The first flagged unit from here on, whose flag is gone; end if there is none. What was noted before is seen after that. */
size_t grey_next(size_t unit, size_t end);

#endif
