/*
 * bench/micro/mixed-frees: sweeps of many sizes, small ones more often, freed partly in order, partly in reverse,
 * and partly a sweep later.
 */
#include "bench/micro/pattern.h"

enum { SWEEP = 4000, SIZES = 60 };

static struct block now[SWEEP];
static struct block kept[SWEEP];

static void make(size_t round)
{
    for (size_t i = 0; i < SWEEP; i++) {
        size_t step = i % SIZES;

        now[i] = block_take(8 + step * step / 4, i + round);
    }
}

static uint64_t free_in_order(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < SWEEP; i += 2)
        sum += block_drop(now[i]);
    return sum;
}

static uint64_t free_kept_in_reverse(void)
{
    uint64_t sum = 0;

    for (size_t i = SWEEP; i-- > 0;) {
        sum += block_drop_any(kept[i]);
        kept[i].bytes = NULL;
    }
    return sum;
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    size_t rounds;

    pattern_begin(argc, argv);
    rounds = pattern_times(5000);
    for (size_t round = 0; round < rounds; round++) {
        make(round);
        sum += free_in_order();
        sum += free_kept_in_reverse();
        for (size_t i = 1; i < SWEEP; i += 2)
            kept[i] = now[i];
    }
    return pattern_end(sum + free_kept_in_reverse());
}
