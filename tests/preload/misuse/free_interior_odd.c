/*
 * A pointer into a block that no block could have.
 * expect: invalid free of {inside}: inside a block of 96 bytes at {block}
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    char *block = malloc(96);

    name_address("block", block);
    name_address("inside", block + 1);
    free_hidden(block + 1);
    free(block);
    return survive(96);
}
