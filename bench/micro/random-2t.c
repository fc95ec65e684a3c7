/* bench/micro/random-2t: two threads, each with 1,024 live blocks mostly small, made and freed in random runs. */
#include "bench/micro/pattern.h"

enum { THREADS = 2, LIVE = 1024 };

static struct block live[THREADS][LIVE];

/* Three quarters below 128 bytes, the rest up to 8 KiB. */
static size_t some_size(struct random *random)
{
    return 1 + random_below(random, random_below(random, 4) > 0 ? 128 : 8192);
}

static uint64_t flip(size_t index)
{
    struct random random = {13 + index};
    size_t flips = pattern_times(22000000);
    uint64_t sum = 0;

    for (size_t i = 0; i < flips; i++) {
        struct block *place = &live[index][random_below(&random, LIVE)];

        if (place->bytes == NULL) {
            *place = block_take(some_size(&random), i);
        } else {
            sum += block_drop(*place);
            place->bytes = NULL;
        }
    }
    for (size_t at = 0; at < LIVE; at++)
        sum += block_drop_any(live[index][at]);
    return sum;
}

int main(int argc, char **argv)
{
    pattern_begin(argc, argv);
    return pattern_end(pattern_threads(THREADS, flip));
}
