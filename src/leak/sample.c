/*
 * leak/sample: distances between samples.
 *
 * Locks: none.
 */
#include "leak/sample.h"

#include "base/distance.h"

/* A block that lies across several samples is one sample all the same: what comes behind it does not depend on that. */
COLD bool sample_draw(struct sampler *sampler, size_t size_bytes, uint64_t mean_bytes,
                      uint64_t seed)
{
    if (sampler->random == 0) {
        sampler->random = seed | 1;
        sampler->distance_bytes = distance_draw(&sampler->random, mean_bytes);
        return sample_takes(sampler, size_bytes, mean_bytes, seed);
    }
    sampler->distance_bytes = distance_draw(&sampler->random, mean_bytes);
    return true;
}

/* 1 - exp(-x): by its series where that is short, else by halves, exp(-x) = exp(-x/2)^2. */
static double chance(double x)
{
    enum { TERMS = 6 };
    if (x > 40)
        return 1;
    if (x > 0.25) {
        double half = 1 - chance(x / 2);
        return 1 - half * half;
    }
    double term = x;
    double sum = x;
    for (int i = 2; i <= TERMS; i++) {
        term *= -x / i;
        sum += term;
    }
    return sum;
}

double sample_weight(size_t size_bytes, uint64_t mean_bytes)
{
    double p = chance((double)size_bytes / (double)mean_bytes);
    return p > 0 ? 1 / p : 1;
}
