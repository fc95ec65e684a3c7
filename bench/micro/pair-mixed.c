/* bench/micro/pair-mixed: malloc and free at once, but of a new small size each time, so that no class stays hot. */
#include "bench/micro/pattern.h"

enum { SIZES = 1024 };

/* One block of each size stays, as in pair-40. */
static struct block staying[SIZES];

int main(int argc, char **argv)
{
    struct random random = {1};
    size_t sizes[SIZES];
    uint64_t sum = 0;
    size_t pairs;

    pattern_begin(argc, argv);
    for (size_t i = 0; i < SIZES; i++)
        sizes[i] = 1 + random_below(&random, random_below(&random, 8) == 0 ? 1024 : 128);
    for (size_t at = 0; at < SIZES; at++)
        staying[at] = block_take(sizes[at], at);
    pairs = pattern_times(55000000);
    for (size_t i = 0; i < pairs; i++)
        sum += block_drop(block_take(sizes[i % SIZES], i));
    for (size_t at = 0; at < SIZES; at++)
        sum += block_drop(staying[at]);
    return pattern_end(sum);
}
