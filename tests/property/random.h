/*
 * property/random: numbers that depend on a seed only, so that every run can be repeated.
 *
 * splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
 */
#ifndef TESTS_PROPERTY_RANDOM_H
#define TESTS_PROPERTY_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    uint64_t mixed = random->state += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

/* Below the limit, which is at least 1. */
static inline uint64_t random_below(struct random *random, uint64_t limit)
{
    return (uint64_t)((unsigned __int128)random_next(random) * limit >> 64);
}

/*
 * Many small sizes, few large ones (Pareto with shape 1): one in n is more than n times the least. At most max_bytes,
 * at least 1.
 */
static inline size_t random_size(struct random *random, size_t max_bytes)
{
    uint64_t share = random_next(random) >> 32;
    uint64_t size_bytes = ((uint64_t)8 << 32) / (share + 1) + random_next(random) % 16;
    return size_bytes < 1 ? 1 : size_bytes > max_bytes ? max_bytes : (size_t)size_bytes;
}

#endif
