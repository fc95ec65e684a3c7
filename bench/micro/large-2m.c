/* bench/micro/large-2m: 40 blocks of 64 KiB to 2 MiB replaced at random, every page touched. */
#include "bench/micro/pattern.h"

enum { LIVE = 40, SIZE_LOW_BYTES = 65536, SIZE_RANGE_BYTES = 2031616 };

static struct block live[LIVE];

int main(int argc, char **argv)
{
    struct random random = {28};
    uint64_t sum = 0;
    size_t pairs;

    pattern_begin(argc, argv);
    pairs = pattern_times(14000);
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
