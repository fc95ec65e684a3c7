/*
 * gc/sweep: frees what was not marked, through the heap's own functions.
 */
#ifndef GC_SWEEP_H
#define GC_SWEEP_H

#include <stddef.h>
#include <stdint.h>

struct sweep_result {
    uint64_t live_blocks;
    uint64_t live_bytes;
    uint64_t freed_blocks;
    uint64_t freed_bytes;
};

/*
 * Marking is complete. Other threads may run; the caller holds no lock of the heap, and no heap waits to be rebuilt after a
 * fork.
 */
void sweep_all(struct sweep_result *result_out);

/*
 * The same in pieces: what begins in so many units from this one on, added to the result. Returns where the next piece begins,
 * SIZE_MAX at the end.
 */
size_t sweep_some(size_t from_unit, size_t unit_count, struct sweep_result *result);

#endif
