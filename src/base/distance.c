/*
 * base/distance: how far it is to the next of a series of random events.
 *
 * Locks: none.
 */
#include "base/distance.h"

#include <string.h>

#define LOGARITHM_OF_2 0.69314718055994531

/* splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
static uint64_t next_random(uint64_t *random)
{
    uint64_t word = *random += UINT64_C(0x9e3779b97f4a7c15);
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

uint64_t distance_draw(uint64_t *random, uint64_t mean)
{
    double uniform = (double)(next_random(random) | 1); /* of 2^64 */
    double distance = (double)mean * (64 * LOGARITHM_OF_2 - logarithm(uniform));
    return 1 + (distance > 0 ? (uint64_t)distance : 0);
}
