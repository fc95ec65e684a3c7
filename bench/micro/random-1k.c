/*
 * bench/micro/random-1k: 4,096 live blocks, each replaced at random by one under 1 KiB: the small classes all in
 * use at once.
 */
#include "bench/micro/pattern.h"

enum { LIVE = 4096, SIZE_MAX_BYTES = 1024 };

static struct block live[LIVE];

int main(int argc, char **argv)
{
    struct random random = {3};
    uint64_t sum = 0;
    size_t pairs;

    pattern_begin(argc, argv);
    pairs = pattern_times(24000000);
    for (size_t i = 0; i < pairs; i++) {
        size_t at = random_below(&random, LIVE);

        sum += block_drop_any(live[at]);
        live[at] = block_take(1 + random_below(&random, SIZE_MAX_BYTES), i);
    }
    for (size_t at = 0; at < LIVE; at++)
        sum += block_drop_any(live[at]);
    return pattern_end(sum);
}
