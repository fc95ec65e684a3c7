/* bench/micro/rebuild: build 600,000 small blocks, free 90 % of them at random, build again into the holes. */
#include "bench/micro/pattern.h"

enum { LIVE = 600000 };

static struct block live[LIVE];

int main(int argc, char **argv)
{
    struct random random = {7};
    uint64_t sum = 0;
    size_t rounds;

    pattern_begin(argc, argv);
    rounds = pattern_times(12);
    for (size_t round = 0; round < rounds; round++) {
        for (size_t at = 0; at < LIVE; at++) {
            if (live[at].bytes == NULL)
                live[at] = block_take(16 + random_below(&random, 112), at + round);
        }
        for (size_t at = 0; at < LIVE; at++) {
            if (random_below(&random, 10) == 0)
                continue;
            sum += block_drop(live[at]);
            live[at].bytes = NULL;
        }
    }
    return pattern_end(sum);
}
