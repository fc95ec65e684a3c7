/*
 * A page of a large block.
 * expect: invalid free of {inside}: inside a block of 1048576 bytes at {block}
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    char *block = malloc(1 << 20);

    name_address("block", block);
    name_address("inside", block + 65536);
    free_hidden(block + 65536);
    free(block);
    return survive(1 << 20);
}
