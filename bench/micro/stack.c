/* bench/micro/stack: last in, first out, in runs of random depth, as recursive code allocates. */
#include "bench/micro/pattern.h"

enum { DEPTH_MAX = 2000 };

static struct block stack[DEPTH_MAX];

int main(int argc, char **argv)
{
    struct random random = {2};
    uint64_t sum = 0;
    size_t depth = 0, runs;

    pattern_begin(argc, argv);
    runs = pattern_times(60000);
    for (size_t run = 0; run < runs; run++) {
        size_t target = random_below(&random, DEPTH_MAX);

        while (depth < target) {
            stack[depth] = block_take(16 + random_below(&random, 240), run);
            depth++;
        }
        while (depth > target)
            sum += block_drop(stack[--depth]);
    }
    while (depth > 0)
        sum += block_drop(stack[--depth]);
    return pattern_end(sum);
}
