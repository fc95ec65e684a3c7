/*
 * gc/check: whether marking has missed anything, beside the program or from old blocks.
 */
#ifndef GC_CHECK_H
#define GC_CHECK_H

#include "gc/worklist.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Marking is complete and everybody stopped, the heap's locks and the roots' held: marks all again from the roots, with other
 * white bytes, and ends the process if anything is reached that the first marking would have freed. `items` as for
 * mark_start(). Beside the program what is on pages that were written counts as well.
 */
void check_marks(struct work *items, size_t count, bool beside);

#endif
