/*
 * bench/micro/mark-mib: how long the collector takes to mark a graph of so many MiB.
 *
 *     GCALLOC_OPTIONS=gc mark-mib [MIB [BYTES]]
 *
 * Blocks of BYTES (64), each with the addresses of two others at random and of the next one. Printed is processor time of
 * one collection, the best of five.
 */
#include "bench/micro/pattern.h"

#include <gcalloc.h>
#include <stdio.h>
#include <time.h>

enum { ROUNDS = 5, EDGES = 2, NEXT = EDGES, MIB = 1 << 20 };

static double seconds_of_cpu(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Returns the first of the blocks, which leads to all. */
static void *build(size_t count, size_t size)
{
    struct random random = {1};
    void ***blocks = malloc(count * sizeof *blocks);
    void *first;

    for (size_t i = 0; i < count; i++)
        if ((blocks[i] = calloc(1, size)) == NULL)
            pattern_die("calloc");
    for (size_t i = 0; i < count; i++) {
        for (size_t edge = 0; edge < EDGES; edge++)
            blocks[i][edge] = blocks[random_below(&random, count)];
        blocks[i][NEXT] = blocks[(i + 1) % count];
    }
    first = blocks[0];
    free(blocks);
    return first;
}

int main(int argc, char **argv)
{
    size_t size = argc > 2 ? strtoul(argv[2], NULL, 10) : 64;
    size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 256) * MIB;
    void *volatile graph = build(bytes / size, size);
    double best = 1e9;
    gca_gc_stats stats;

    for (int i = 0; i < ROUNDS; i++) {
        double start = seconds_of_cpu();

        if (gca_collect() != 0)
            pattern_die("gca_collect: the option gc");
        start = seconds_of_cpu() - start;
        best = start < best ? start : best;
    }
    gca_gc_get_stats(&stats);
    printf("%zu MiB in %llu blocks: %.0f ms, %.2f GB/s, %.1f ns a block\n", (size_t)stats.live_bytes / MIB,
           (unsigned long long)stats.live_blocks, best * 1e3, (double)stats.live_bytes / best * 1e-9,
           best * 1e9 / (double)stats.live_blocks);
    return graph == NULL;
}
