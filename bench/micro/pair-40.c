/* bench/micro/pair-40: malloc and free of 40 bytes in a tight loop, the floor of what a pair can cost. */
#include "bench/micro/pattern.h"

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    size_t pairs;

    pattern_begin(argc, argv);
    pairs = pattern_times(70000000);
    for (size_t i = 0; i < pairs; i++)
        sum += block_drop(block_take(40, i));
    return pattern_end(sum);
}
