/*
 * Every block of a size writes over its end and before its start, into its neighbours. What they
 * hold is lost; the allocator is not: nothing of it lies there.
 */
#include "preload/misuse/misuse.h"

#include "support/subject.h"

#include <malloc.h>

enum { BLOCKS = 500 };

static int by_address(const void *left, const void *right)
{
    const char *a = *(char *const *)left, *b = *(char *const *)right;

    return (a > b) - (a < b);
}

int main(void)
{
    static char *blocks[BLOCKS];
    int overwritten = 0;

    for (size_t size = 16; size <= 40000; size = size * 5 / 2) {
        for (int i = 0; i < BLOCKS; i++)
            blocks[i] = malloc(size);
        qsort(blocks, BLOCKS, sizeof *blocks, by_address);
        for (int i = 1; i + 1 < BLOCKS; i++)
            if (blocks[i + 1] - blocks[i - 1] <=
                2 * (ptrdiff_t)malloc_usable_size(blocks[i]) + 64) {
                memset(blocks[i - 1], 0xff, (size_t)(blocks[i + 1] - blocks[i - 1]));
                overwritten++;
            }
        if (!subject_verify())
            return 2;
        for (int i = 0; i < BLOCKS; i++)
            free(blocks[i * 7 % BLOCKS]);
    }
    if (overwritten < BLOCKS)
        return 3;
    return survive(48);
}
