/*
 * gc/check: whether marking beside the program has missed anything.
 */
#ifndef GC_CHECK_H
#define GC_CHECK_H

#include "gc/worklist.h"

#include <stddef.h>

/*
 * Marking is complete and everybody stopped, the heap's locks and the roots' held: marks all again from the roots, with other
 * white bytes, and ends the process if anything is reached that the first marking would have freed. `items` as for
 * mark_start().
 */
void check_marks(struct work *items, size_t count);

#endif
