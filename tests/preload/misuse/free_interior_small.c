/*
 * A pointer into a block, aligned as a block would be.
 * expect: invalid free of {inside}: inside a block of 96 bytes at {block}
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    char *block = malloc(96);

    name_address("block", block);
    name_address("inside", block + 32);
    free_hidden(block + 32);
    free(block);
    return survive(96);
}
