/* bench/micro/gcbench-lost: no tree is freed. For collectors; without one it takes a gigabyte. */
#include "bench/micro/gcbench.h"

uint64_t drop(struct node *node)
{
    return count(node);
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;

    pattern_begin(argc, argv);
    for (size_t rounds = pattern_times(1); rounds > 0; rounds--)
        sum += gcbench();
    return pattern_end(sum);
}
