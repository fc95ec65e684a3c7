/*
 * examples/statistics: what a program's heap holds before and after it has worked.
 *
 *     cc statistics.c $(pkg-config --cflags --libs gcalloc) -o statistics && ./statistics
 */
#include <gcalloc.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 10000 };

static void print(const char *when)
{
    gca_heap_stats stats;
    if (gca_heap_get_stats(&stats) != 0)
        return;
    printf("%-9s %8" PRIu64 " blocks, %9" PRIu64 " bytes allocated, %9" PRIu64
           " bytes of free pages\n",
           when, stats.blocks, stats.allocated_bytes, stats.dirty_bytes);
}

/* The classes that hold something, as `gcalloc top` shows them from outside. */
static void print_classes(void)
{
    size_t count = gca_heap_get_class_stats(NULL, 0);
    gca_class_stats *rows = calloc(count, sizeof *rows);
    if (rows == NULL)
        return;
    gca_heap_get_class_stats(rows, count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].blocks != 0)
            printf("  %6" PRIu32 " bytes: %8" PRIu64 " of %8" PRIu64 " slots\n", rows[i].slot_bytes,
                   rows[i].blocks, rows[i].slots);
    free(rows);
}

int main(void)
{
    static char *words[WORDS];
    printf("gcalloc %s\n", gca_version());
    print("at first");
    for (size_t i = 0; i < WORDS; i++)
        words[i] = malloc(16 + i % 100);
    print("working");
    print_classes();
    for (size_t i = 0; i < WORDS; i++)
        free(words[i]);
    print("freed");
    printf("given back: %zu bytes\n", gca_trim());
    return 0;
}
