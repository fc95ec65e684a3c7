/*
 * bench/micro/powers: a working set that swells and shrinks between 0 and 30,000 blocks, sizes from 16 bytes to 4
 * KiB with each power of two as likely as the next.
 */
#include "bench/micro/pattern.h"

enum { LIVE = 30000, SWELL_STEPS = 60000 };

static struct block live[LIVE];

static size_t some_size(struct random *random)
{
    size_t floor = (size_t)16 << random_below(random, 8);

    return floor + random_below(random, floor);
}

int main(int argc, char **argv)
{
    struct random random = {16};
    uint64_t sum = 0;
    size_t steps;

    pattern_begin(argc, argv);
    steps = pattern_times(5000000);
    for (size_t i = 0; i < steps; i++) {
        struct block *place = &live[random_below(&random, LIVE)];
        bool swelling = i / SWELL_STEPS % 2 == 0;

        sum += block_drop_any(*place);
        place->bytes = NULL;
        if (swelling || random_below(&random, 8) == 0)
            *place = block_take(some_size(&random), i);
    }
    for (size_t at = 0; at < LIVE; at++)
        sum += block_drop_any(live[at]);
    return pattern_end(sum);
}
