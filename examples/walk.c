/*
 * examples/walk: every block of the heap, by size; how a program can look for what fills it.
 *
 *     cc walk.c $(pkg-config --cflags --libs gcalloc) -o walk && ./walk
 */
#include <gcalloc.h>

#include <stdio.h>
#include <stdlib.h>

enum { BINS = 48, RECORDS = 100 };

/* Bin b holds sizes from 2^b up to, but not including, 2^(b+1). */
struct histogram {
    size_t blocks[BINS];
    size_t bytes[BINS];
};

static bool add(void *block, size_t size_bytes, void *context)
{
    (void)block;
    struct histogram *histogram = context;
    size_t bin = 0;
    while (bin + 1 < BINS && size_bytes >> (bin + 1) != 0)
        bin++;
    histogram->blocks[bin]++;
    histogram->bytes[bin] += size_bytes;
    return true;
}

static void print(const struct histogram *histogram)
{
    for (size_t bin = 0; bin < BINS; bin++)
        if (histogram->blocks[bin] != 0)
            printf("from %10zu bytes: %6zu blocks, %10zu bytes\n", (size_t)1 << bin,
                   histogram->blocks[bin], histogram->bytes[bin]);
}

int main(void)
{
    static struct histogram histogram;
    static char *records[RECORDS];
    for (size_t i = 0; i < RECORDS; i++)
        records[i] = malloc(i * i * 10 + 1);

    size_t visited = gca_heap_walk(add, &histogram);
    printf("%zu blocks\n", visited);
    print(&histogram);

    /* Any address inside a block leads to its start. */
    size_t size_bytes;
    void *block = gca_block_of(records[50] + 1000, &size_bytes);
    printf("1000 bytes into record 50: %s, %zu usable bytes\n",
           block == records[50] ? "record 50" : "something else", size_bytes);

    for (size_t i = 0; i < RECORDS; i++)
        free(records[i]);
    return gca_heap_verify() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
