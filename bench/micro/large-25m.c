/* bench/micro/large-25m: 20 blocks of 5 to 25 MiB replaced at random, every page touched. */
#include "bench/micro/pattern.h"

enum { LIVE = 20, SIZE_LOW_BYTES = 5242880, SIZE_RANGE_BYTES = 20971520 };

static struct block live[LIVE];

int main(int argc, char **argv)
{
    struct random random = {29};
    uint64_t sum = 0;
    size_t pairs;

    pattern_begin(argc, argv);
    pairs = pattern_times(200);
    for (size_t i = 0; i < pairs; i++) {
        struct block *place = &live[random_below(&random, LIVE)];

        sum += block_drop_any(*place);
        *place = block_take(SIZE_LOW_BYTES + random_below(&random, SIZE_RANGE_BYTES), i);
        pattern_touch_pages(place->bytes, 0, place->size, (unsigned char)i);
    }
    for (size_t at = 0; at < LIVE; at++)
        sum += block_drop_any(live[at]);
    return pattern_end(sum);
}
