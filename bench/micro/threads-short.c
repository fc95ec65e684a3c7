/* bench/micro/threads-short: threads that live for 60 blocks each, two at a time. */
#include "bench/micro/pattern.h"

enum { BLOCKS = 60, AT_ONCE = 2 };

static uint64_t short_life(size_t index)
{
    struct random random = {9 + index};
    struct block blocks[BLOCKS];
    uint64_t sum = 0;

    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = block_take(16 + random_below(&random, 500), i);
    for (size_t i = 0; i < BLOCKS; i++)
        sum += block_drop(blocks[i]);
    return sum;
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    size_t rounds;

    pattern_begin(argc, argv);
    rounds = pattern_times(12000);
    for (size_t round = 0; round < rounds; round++)
        sum += pattern_threads(AT_ONCE, short_life);
    return pattern_end(sum);
}
