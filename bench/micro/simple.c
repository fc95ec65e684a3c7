/* bench/micro/simple: runs of 25 to 1,600 blocks of one size, made in order and freed in the same order. */
#include "bench/micro/pattern.h"

enum { RUN_MAX = 1600 };

static const size_t run_lengths[] = {25, 100, 400, RUN_MAX};
static struct block blocks[RUN_MAX];

static uint64_t run(size_t length, size_t size)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < length; i++)
        blocks[i] = block_take(size, i);
    for (size_t i = 0; i < length; i++)
        sum += block_drop(blocks[i]);
    return sum;
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    size_t rounds;

    pattern_begin(argc, argv);
    rounds = pattern_times(1600);
    for (size_t round = 0; round < rounds; round++) {
        size_t size = 16u << round % 5;

        for (size_t at = 0; at < sizeof run_lengths / sizeof *run_lengths; at++) {
            for (size_t done = 0; done < 4 * RUN_MAX; done += run_lengths[at])
                sum += run(run_lengths[at], size);
        }
    }
    return pattern_end(sum);
}
