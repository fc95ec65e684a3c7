/*
 * bench/micro/pareto: sizes and lifetimes both Pareto-distributed: most blocks small and short-lived, few large or old.
 *
 * Blocks wait in a wheel of deadlines. Size 16 x (1 / u) to at most 256 KiB, lifetime 1 / u steps.
 */
#include "bench/micro/pattern.h"

enum { WHEEL = 65536, UNIT = 65536, SIZE_MAX_BYTES = 262144 };

static struct block wheel[WHEEL];

/* floor(UNIT / u) for u uniform in 1..UNIT: P(X > x) falls as 1 / x. */
static size_t pareto(struct random *random)
{
    return UNIT / (1 + random_below(random, UNIT));
}

static size_t some_size(struct random *random)
{
    size_t size = 16 * pareto(random) + random_below(random, 16);

    return size < SIZE_MAX_BYTES ? size : SIZE_MAX_BYTES;
}

int main(int argc, char **argv)
{
    struct random random = {15};
    uint64_t sum = 0;
    size_t steps;

    pattern_begin(argc, argv);
    steps = pattern_times(14000000);
    for (size_t now = 0; now < steps; now++) {
        struct block *due = &wheel[now % WHEEL];
        struct block *later = &wheel[(now + pareto(&random)) % WHEEL];

        sum += block_drop_any(*due);
        due->bytes = NULL;
        sum += block_drop_any(*later);
        *later = block_take(some_size(&random), now);
    }
    for (size_t at = 0; at < WHEEL; at++)
        sum += block_drop_any(wheel[at]);
    return pattern_end(sum);
}
