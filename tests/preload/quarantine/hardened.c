/*
 * Options beside the quarantine: "zero" sees that all that is handed out reads as zero, "shuffle" that the order of addresses is not the same
 * every time, and says so by a hash on standard output.
 */
#include "support/opaque.h"
#include "support/require.h"

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

int main(int argc, char **argv)
{
    require(argc == 2);
    if (strcmp(argv[1], "zero") == 0)
        check_zero();
    else
        show_order();
    return 0;
}
