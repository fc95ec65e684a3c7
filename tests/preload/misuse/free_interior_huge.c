/*
 * Far into a block of many granules.
 * expect: invalid free of {inside}: inside a block of 33554432 bytes at {block}
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    char *block = malloc(32 << 20);

    name_address("block", block);
    name_address("inside", block + (20 << 20));
    free_hidden(block + (20 << 20));
    free(block);
    return survive(1 << 20);
}
