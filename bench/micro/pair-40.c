/*
 * bench/micro/pair-40: malloc and free of 40 bytes in a tight loop, the floor of what a pair can cost.
 *
 * A few blocks of the size stay: without them mimalloc retires an empty page at every free, which no program sees.
 */
#include "bench/micro/pattern.h"

enum { STAY = 16 };

static struct block staying[STAY];

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    size_t pairs;

    pattern_begin(argc, argv);
    for (size_t at = 0; at < STAY; at++)
        staying[at] = block_take(40, at);
    pairs = pattern_times(70000000);
    for (size_t i = 0; i < pairs; i++)
        sum += block_drop(block_take(40, i));
    for (size_t at = 0; at < STAY; at++)
        sum += block_drop(staying[at]);
    return pattern_end(sum);
}
