/*
 * gc/old: marks from all old blocks, for a cycle of young ones in one stop.
 */
#ifndef GC_OLD_H
#define GC_OLD_H

#include "gc/mark.h"

#include <stdint.h>

/*
 * Marks what blocks of other births than `young` lead to, and all that this leads to. White bytes are those of a cycle of this
 * birth's blocks, which are the only candidates; no block fills its slot. All other threads are stopped, and the caller has the run lock.
 */
void old_mark(struct marker *marker, uint32_t young);

#endif
