/*
 * bench/micro/threads-leftover: threads end while half of their blocks live on, and the main thread frees those.
 *
 * An allocator that can't use an ended thread's memory again grows with every generation.
 */
#include "bench/micro/pattern.h"

enum { THREADS = 4, BLOCKS = 2000 };

static struct block leftover[THREADS][BLOCKS];

static uint64_t leave_half(size_t index)
{
    struct random random = {18 + index};
    uint64_t sum = 0;

    for (size_t i = 0; i < BLOCKS; i++)
        leftover[index][i] = block_take(16 + random_below(&random, 1000), i);
    for (size_t i = 0; i < BLOCKS; i += 2) {
        sum += block_drop(leftover[index][i]);
        leftover[index][i].bytes = NULL;
    }
    return sum;
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    size_t generations;

    pattern_begin(argc, argv);
    generations = pattern_times(600);
    for (size_t generation = 0; generation < generations; generation++) {
        sum += pattern_threads(THREADS, leave_half);
        for (size_t thread = 0; thread < THREADS; thread++) {
            for (size_t i = 1; i < BLOCKS; i += 2)
                sum += block_drop(leftover[thread][i]);
        }
    }
    return pattern_end(sum);
}
