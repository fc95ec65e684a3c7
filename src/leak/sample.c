/*
 * leak/sample: distances between samples.
 *
 * Locks: none.
 */
#include "leak/sample.h"

#include <string.h>

#define LOGARITHM_OF_2 0.69314718055994531

/* splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
static uint64_t next_random(struct sampler *sampler)
{
    uint64_t word = sampler->random += UINT64_C(0x9e3779b97f4a7c15);
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

/* The natural logarithm of a number from 1 on, to 1e-4: by its exponent, and a series for the rest, from 1 to 2. */
static double logarithm(double number)
{
    enum { FRACTION_BITS = 52, EXPONENT_ZERO = 1023 };
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    double exponent = (double)((int64_t)(bits >> FRACTION_BITS) - EXPONENT_ZERO);
    bits = (bits & ((UINT64_C(1) << FRACTION_BITS) - 1)) | (uint64_t)EXPONENT_ZERO << FRACTION_BITS;
    memcpy(&number, &bits, sizeof number);
    double s = (number - 1) / (number + 1);
    double square = s * s;
    return exponent * LOGARITHM_OF_2 +
           2 * s * (1 + square * (1.0 / 3 + square * (1.0 / 5 + square / 7)));
}

/* At least 1. */
static uint64_t draw_distance(struct sampler *sampler, uint64_t mean_bytes)
{
    double uniform = (double)(next_random(sampler) | 1); /* of 2^64 */
    double distance = (double)mean_bytes * (64 * LOGARITHM_OF_2 - logarithm(uniform));
    return 1 + (distance > 0 ? (uint64_t)distance : 0);
}

/* A block that lies across several samples is one sample all the same: what comes behind it does not depend on that. */
COLD bool sample_draw(struct sampler *sampler, size_t size_bytes, uint64_t mean_bytes,
                      uint64_t seed)
{
    if (sampler->random == 0) {
        sampler->random = seed | 1;
        sampler->distance_bytes = draw_distance(sampler, mean_bytes);
        return sample_takes(sampler, size_bytes, mean_bytes, seed);
    }
    sampler->distance_bytes = draw_distance(sampler, mean_bytes);
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
