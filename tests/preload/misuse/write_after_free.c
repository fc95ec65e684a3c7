/*
 * Freed blocks are overwritten before they are used again: no list runs through them.
 */
#include "preload/misuse/misuse.h"

#include "support/subject.h"

enum { BLOCKS = 100 };

int main(void)
{
    static char *blocks[BLOCKS];

    for (int round = 0; round < 5; round++)
        for (size_t size = 16; size <= 30000; size = size * 5 / 2) {
            for (int i = 0; i < BLOCKS; i++)
                blocks[i] = malloc(size);
            for (int i = 0; i < BLOCKS; i += 2) {
                free(blocks[i]);
                memset(opaque(blocks[i]), 0xff, size);
            }
            if (!subject_verify())
                return 2;
            for (int i = 1; i < BLOCKS; i += 2)
                free(blocks[i]);
        }
    return survive(48);
}
