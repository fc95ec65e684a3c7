/*
 * limit: the option heap_limit=16M, with the collector and without; settings that change while the program runs.
 *
 * limit threads: some threads at the limit for a while.
 */
#include "gcalloc/gc.h"
#include "gcalloc/heap.h"
#include "support/require.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MIB = 1 << 20, LIMIT_MIB = 16, BLOCKS_MAX = 1 << 20, BESIDES_KIB = 12 << 10 };

static char *blocks[BLOCKS_MAX];

static bool is_on;

static void expect_small(void)
{
    struct rusage usage;

    require(getrusage(RUSAGE_SELF, &usage) == 0);
    require(usage.ru_maxrss < LIMIT_MIB * 1024 + BESIDES_KIB);
}

static void *touched(size_t size)
{
    void *block = malloc(size);

    return block == NULL ? NULL : memset(block, 1, size);
}

/* Until nothing is left, twice: what was freed is there again, whatever size it had. */
static void fill(size_t size)
{
    size_t count = 0;

    errno = 0;
    while (count < BLOCKS_MAX && (blocks[count] = touched(size)) != NULL)
        count++;
    require(errno == ENOMEM);
    require(count * size <= LIMIT_MIB * (size_t)MIB && count * size > LIMIT_MIB * (size_t)MIB / 2);
    require(gca_heap_verify() == 0);
    expect_small();
    while (count > 0) {
        free(blocks[--count]);
        blocks[count] = NULL; /* its address would hold what comes to lie there */
    }
}

/* Much is lost, some of it at a time is kept, and malloc never fails. */
static void lose(size_t size, size_t kept_bytes)
{
    size_t kept = kept_bytes / size;

    for (size_t lost = 0, i = 0; lost < 400 * (size_t)MIB; lost += size, i++) {
        char *block = touched(size);

        require(block != NULL);
        blocks[i % kept] = block;
    }
    for (size_t i = 0; i < kept; i++)
        require(blocks[i][size - 1] == 1);
    memset(blocks, 0, kept * sizeof *blocks);
    expect_small();
}

static void settings_hold(void)
{
    gca_gc_settings settings, other;

    require(gca_gc_get_settings(NULL) == -EINVAL && gca_gc_configure(NULL) == -EINVAL);
    require(gca_gc_get_settings(&settings) == 0);
    other = settings;
    other.mode = GCA_GC_INFERENCE + 1;
    require(gca_gc_configure(&other) == -EINVAL);
    other.mode = GCA_GC_BALANCED;
    other.throughput_percent = 100;
    require(gca_gc_configure(&other) == -EINVAL);
    for (uint64_t mode = GCA_GC_BALANCED; mode <= GCA_GC_INFERENCE; mode++) {
        require(gca_gc_configure(&(gca_gc_settings){.mode = mode, .threads = 3, .heap_limit_bytes = 20 << 20}) == 0);
        require(gca_gc_get_settings(&other) == 0);
        require(other.mode == mode && other.threads == 3 && other.heap_limit_bytes == 20 << 20);
        require(other.growth_percent > 0 && other.growth_min_bytes > 0 && other.young_bytes > 0);
        require(other.pause_us > 0 && other.throughput_percent > 0);
    }
    require(gca_gc_configure(&(gca_gc_settings){0}) == 0);
    char *large = malloc(64 << 20); /* there is no limit now */
    require(large != NULL);
    free(large);
    require(gca_gc_configure(&(gca_gc_settings){.heap_limit_bytes = LIMIT_MIB << 20}) == 0);
    errno = 0;
    require(malloc(64 << 20) == NULL && errno == ENOMEM);
}

static void *work(void *unused)
{
    enum { KEPT = 100 };
    char *kept[KEPT] = {NULL};
    uint32_t seed = (uint32_t)(uintptr_t)&kept;

    for (int i = 0; i < 50000; i++) {
        seed = seed * 1103515245 + 12345;
        size_t place = (seed >> 8) % KEPT, size = 1 + (seed >> 16) % (i % 100 == 0 ? 300000 : 3000);
        free(kept[place]);
        kept[place] = malloc(size);
        if (kept[place] != NULL)
            memset(kept[place], 1, size < 100 ? size : 100);
    }
    for (int i = 0; i < KEPT; i++)
        free(kept[i]);
    return unused;
}

static void work_in_threads(void)
{
    enum { THREADS = 6 };
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, work, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        require(pthread_join(threads[i], NULL) == 0);
    require(gca_heap_verify() == 0);
}

int main(int count, char **arguments)
{
    (void)arguments;
    is_on = gca_collect() == 0;
    if (count > 1) {
        work_in_threads();
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        fill(40);
        fill(3000);
        fill(20000);
        fill(1 << 20);
    }
    if (is_on) {
        lose(40, 4 << 20);
        lose(3000, 4 << 20);
        lose(100000, 4 << 20);
        lose(1 << 20, 4 << 20);
    }
    settings_hold();
    return 0;
}
