/*
 * bench/micro/false-passive: the main thread makes one tiny block for each of two threads, next to each other for
 * sure; they write to them, free them, and go on with blocks of their own.
 *
 * An allocator that hands a thread the rest of a cache line that another still writes to makes them fight on.
 */
#include "bench/micro/pattern.h"

enum { THREADS = 2, WRITES = 1000, BLOCK_BYTES = 8 };

static struct block given[THREADS];

static void write_often(struct block block)
{
    volatile unsigned char *bytes = block.bytes;

    for (size_t i = 0; i < WRITES; i++)
        bytes[i % BLOCK_BYTES]++;
}

static uint64_t work(size_t index)
{
    size_t rounds = pattern_times(500000);
    struct block block = given[index];
    uint64_t sum = 0;

    for (size_t round = 0; round < rounds; round++) {
        write_often(block);
        sum += block_drop(block);
        block = block_take(BLOCK_BYTES, round);
    }
    return sum + block_drop(block);
}

int main(int argc, char **argv)
{
    pattern_begin(argc, argv);
    for (size_t index = 0; index < THREADS; index++)
        given[index] = block_take(BLOCK_BYTES, index);
    return pattern_end(pattern_threads(THREADS, work));
}
