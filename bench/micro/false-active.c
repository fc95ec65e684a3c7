/*
 * bench/micro/false-active: two threads each make a tiny block, write to it many times, free it, and so on.
 *
 * An allocator that cuts one cache line up for two threads makes them fight for it.
 */
#include "bench/micro/pattern.h"

enum { THREADS = 2, WRITES = 1000, BLOCK_BYTES = 8 };

static uint64_t write_often(size_t index)
{
    size_t rounds = pattern_times(500000);
    uint64_t sum = 0;

    for (size_t round = 0; round < rounds; round++) {
        struct block block = block_take(BLOCK_BYTES, round + index);
        volatile unsigned char *bytes = block.bytes;

        for (size_t i = 0; i < WRITES; i++)
            bytes[i % BLOCK_BYTES]++;
        sum += block_drop(block);
    }
    return sum;
}

int main(int argc, char **argv)
{
    pattern_begin(argc, argv);
    return pattern_end(pattern_threads(THREADS, write_often));
}
