/*
 * gc/pinned: what a program adds to the roots: ranges of memory, and blocks.
 *
 * One lock guards both tables, outside of all heap locks; see gc/roots.h, which shows most of this.
 */
#ifndef GC_PINNED_H
#define GC_PINNED_H

#include "gc/roots.h"

/* Feeds both tables. The lock is held, or nobody else runs. */
void pinned_scan(roots_range *range, void *context);

#endif
