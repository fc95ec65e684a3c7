/* bench/micro/queue: first in, first out, with 1,000 to 3,000 blocks waiting, as a message queue allocates. */
#include "bench/micro/pattern.h"

enum { WAITING_MAX = 4096, WAITING_LOW = 1000, BURST_MAX = 2000 };

static struct block waiting[WAITING_MAX];

int main(int argc, char **argv)
{
    struct random random = {12};
    size_t head = 0, tail = 0, bursts;
    uint64_t sum = 0;

    pattern_begin(argc, argv);
    bursts = pattern_times(14000);
    for (size_t burst = 0; burst < bursts; burst++) {
        for (size_t i = random_below(&random, BURST_MAX); i > 0; i--)
            waiting[tail++ % WAITING_MAX] = block_take(24 + random_below(&random, 400), burst);
        while (tail - head > WAITING_LOW)
            sum += block_drop(waiting[head++ % WAITING_MAX]);
    }
    while (head < tail)
        sum += block_drop(waiting[head++ % WAITING_MAX]);
    return pattern_end(sum);
}
