/*
 * leak/sample: which of a thread's blocks are recorded, when not all are.
 *
 * A Poisson process over allocated bytes: behind each sample the distance to the next is drawn from the exponential
 * distribution with the mean wanted. A block of `size` bytes so is chosen with the probability p = 1 - exp(-size /
 * mean), whatever was allocated before it, and stands for 1 / p blocks of its size.
 */
#ifndef LEAK_SAMPLE_H
#define LEAK_SAMPLE_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero before the first block. */
struct sampler {
    uint64_t distance_bytes; /* to the next sample */
    uint64_t random;
};

/* The slow half of sample_takes(). */
bool sample_draw(struct sampler *sampler, size_t size_bytes, uint64_t mean_bytes, uint64_t seed);

/* How many blocks of its size one that was chosen stands for. */
double sample_weight(size_t size_bytes, uint64_t mean_bytes);

/* Whether the block, of size_bytes, is to be recorded. The seed counts with the first block only. */
static inline bool sample_takes(struct sampler *sampler, size_t size_bytes, uint64_t mean_bytes,
                                uint64_t seed)
{
    if (UNLIKELY(size_bytes >= sampler->distance_bytes))
        return sample_draw(sampler, size_bytes, mean_bytes, seed);
    sampler->distance_bytes -= size_bytes;
    return false;
}

#endif
