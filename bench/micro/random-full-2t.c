/*
 * bench/micro/random-full-2t: two threads, each with 150,000 live blocks replaced at random by one of equal size.
 *
 * Every block that dies makes the only hole of its size in its neighbourhood, so spans stay nearly full and an
 * allocator that hunts for space pays on each call.
 */
#include "bench/micro/pattern.h"

enum { THREADS = 2, LIVE = 150000 };

static struct block live[THREADS][LIVE];

static uint64_t replace(size_t index)
{
    struct random random = {5 + index};
    size_t pairs = pattern_times(3500000);
    uint64_t sum = 0;

    for (size_t at = 0; at < LIVE; at++)
        live[index][at] = block_take(16 + random_below(&random, 24) * 16, at);
    for (size_t i = 0; i < pairs; i++) {
        struct block *place = &live[index][random_below(&random, LIVE)];

        sum += block_drop(*place);
        *place = block_take(place->size, i);
    }
    for (size_t at = 0; at < LIVE; at++)
        sum += block_drop(live[index][at]);
    return sum;
}

int main(int argc, char **argv)
{
    pattern_begin(argc, argv);
    return pattern_end(pattern_threads(THREADS, replace));
}
