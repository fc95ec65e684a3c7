/*
 * A pointer into a block that is freed already.
 * expect: invalid free of {inside}: inside a free block of 96 bytes at {block}
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    char *block = malloc(96);

    name_address("block", block);
    name_address("inside", block + 32);
    free(block);
    free_hidden(block + 32);
    return survive(96);
}
