/*
 * Options beside the quarantine: "zero" sees that all that is handed out reads as zero, "shuffle" that the order of addresses is not the same
 * every time, and says so by a hash on standard output. "slots": with guard_slots=8 no nine places in a row are used, and the rest are used as
 * ever. "unused" frees a place between blocks that nobody was given.
 */
#include "support/opaque.h"
#include "support/require.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 200 };

static void require_zero(const unsigned char *block, size_t size)
{
    for (size_t i = 0; i < size; i++)
        require(block[i] == 0);
}

static void check_zero(void)
{
    static const size_t sizes[] = {1, 40, 500, 3000, 16000, 20000, 70000, 1000000};
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            unsigned char *blocks[COUNT];
            size_t count = sizes[i] > 10000 ? 4 : COUNT;
            for (size_t k = 0; k < count; k++) {
                blocks[k] = opaque(k % 2 ? malloc(sizes[i]) : aligned_alloc(64, sizes[i]));
                require_zero(blocks[k], sizes[i]);
                memset(blocks[k], 0xa5, sizes[i]);
            }
            for (size_t k = 0; k < count; k++)
                free(blocks[k]);
        }
}

static void show_order(void)
{
    uint64_t hash = 0;
    uintptr_t before = (uintptr_t)opaque(malloc(40));
    for (int i = 0; i < COUNT; i++) {
        uintptr_t next = (uintptr_t)opaque(malloc(40));
        hash = hash * 31 + (next - before);
        before = next;
    }
    printf("%lx\n", (unsigned long)hash);
}

/* ---- places that are never used ---- */

enum { MANY = 6000, GUARD_EVERY = 8, LARGEST_BYTES = 3000 };

static const size_t slots_sizes[] = {1, 40, 112, 700, LARGEST_BYTES};
static unsigned char *many[MANY];

static int by_address(const void *first, const void *second)
{
    uintptr_t a = (uintptr_t) * (unsigned char *const *)first, b = (uintptr_t) * (unsigned char *const *)second;
    return (a > b) - (a < b);
}

/* Returns how far neighbours are apart. */
static size_t take_many(size_t size)
{
    size_t stride = SIZE_MAX;
    for (size_t i = 0; i < MANY; i++) {
        many[i] = opaque(malloc(size));
        require(many[i] != NULL);
        memset(many[i], (int)(i % 251), size);
        many[i][0] = 0x5a;
    }
    for (size_t i = 0; i < MANY; i++)
        require(size < 2 || (many[i][0] == 0x5a && many[i][size - 1] == i % 251));
    qsort(many, MANY, sizeof many[0], by_address);
    for (size_t i = 1; i < MANY; i++)
        stride = (size_t)(many[i] - many[i - 1]) < stride ? (size_t)(many[i] - many[i - 1]) : stride;
    return stride;
}

/* Where a span ends the next one may begin at once. */
static void check_slots(size_t size)
{
    size_t stride = take_many(size), run = 1, holes = 0;
    for (size_t i = 1; i < MANY; i++) {
        holes += (size_t)(many[i] - many[i - 1]) == 2 * stride;
        run = (size_t)(many[i] - many[i - 1]) == stride ? run + 1 : 1;
        require(run <= 2 * (GUARD_EVERY - 1));
    }
    require(holes > MANY / (4 * GUARD_EVERY) || size >= LARGEST_BYTES);
    for (size_t i = 0; i < MANY; i++)
        free(many[(i * 7) % MANY]); /* 7 and MANY have no divisor in common */
}

/* Two of them with all between in use: another one may be of what the C library has taken. */
static void free_unused(void)
{
    enum { BETWEEN = GUARD_EVERY - 1 };
    size_t stride = take_many(40);
    for (size_t i = 1; i + BETWEEN < MANY; i++) {
        unsigned char *before = many[i - 1];
        if (many[i] == before + 2 * stride && many[i + BETWEEN - 1] == before + GUARD_EVERY * stride &&
            many[i + BETWEEN] == before + (GUARD_EVERY + 2) * stride) {
            free(before + stride);
            return;
        }
    }
    require(false);
}

int main(int argc, char **argv)
{
    require(argc == 2);
    if (strcmp(argv[1], "zero") == 0)
        check_zero();
    else if (strcmp(argv[1], "slots") == 0)
        for (int round = 0; round < 3; round++)
            for (size_t i = 0; i < sizeof slots_sizes / sizeof slots_sizes[0]; i++)
                check_slots(slots_sizes[i]);
    else if (strcmp(argv[1], "unused") == 0)
        free_unused();
    else
        show_order();
    return 0;
}
