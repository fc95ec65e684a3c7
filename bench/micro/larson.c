/*
 * bench/micro/larson: a server whose workers die: each replaces random blocks of a set, then hands the set to a
 * fresh thread.
 *
 * After the idea of Larson and Krishnan (ISMM 1998): most blocks are freed by another thread than the one that made
 * them, and that one no longer lives.
 */
#include "bench/micro/pattern.h"

enum { SETS = 2, LIVE = 2000, REPLACED = 20000 };

static struct block sets[SETS][LIVE];
static struct random randoms[SETS] = {{10}, {11}};

static uint64_t work(size_t index)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < REPLACED; i++) {
        struct block *place = &sets[index][random_below(&randoms[index], LIVE)];

        sum += block_drop_any(*place);
        *place = block_take(8 + random_below(&randoms[index], 1000), i);
    }
    return sum;
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    size_t generations;

    pattern_begin(argc, argv);
    generations = pattern_times(350);
    for (size_t generation = 0; generation < generations; generation++)
        sum += pattern_threads(SETS, work);
    return pattern_end(sum);
}
