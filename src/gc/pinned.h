/*
 * gc/pinned: what a program adds to the roots: ranges of memory, and blocks.
 *
 * One lock guards both tables, outside of all heap locks; see gc/roots.h, which shows most of this.
 */
#ifndef GC_PINNED_H
#define GC_PINNED_H

#include "gc/roots.h"

struct pinned;

/* Where both lie. Under the lock. */
extern struct pinned pinned;

/* Feed the tables. The lock is held, or nobody else runs. */
void pinned_scan_ranges(roots_range *range, void *context);
void pinned_scan_pins(roots_range *range, void *context);

#endif
