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
 * Marking is complete, all other threads are stopped, and the caller holds no lock.
 */
void sweep_all(struct sweep_result *result_out);

#endif
