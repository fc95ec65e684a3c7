/*
 * gc/sweep: frees what was not marked, through the heap's own functions.
 */
#ifndef GC_SWEEP_H
#define GC_SWEEP_H

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

#endif
