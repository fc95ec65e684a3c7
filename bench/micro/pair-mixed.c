/* bench/micro/pair-mixed: malloc and free at once, but of a new small size each time, so that no class stays hot. */
#include "bench/micro/pattern.h"

enum { SIZES = 1024 };

int main(int argc, char **argv)
{
    struct random random = {1};
    size_t sizes[SIZES];
    uint64_t sum = 0;
    size_t pairs;

    pattern_begin(argc, argv);
    for (size_t i = 0; i < SIZES; i++)
        sizes[i] = 1 + random_below(&random, random_below(&random, 8) == 0 ? 1024 : 128);
    pairs = pattern_times(55000000);
    for (size_t i = 0; i < pairs; i++)
        sum += block_drop(block_take(sizes[i % SIZES], i));
    return pattern_end(sum);
}
