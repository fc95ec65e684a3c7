/*
 * A block too large for any size class.
 * expect: double free of {block} (1048576 bytes)
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    void *block = malloc(1 << 20);

    name_address("block", block);
    memset(block, 1, 1 << 20);
    free(block);
    free_hidden(block);
    return survive(1 << 20);
}
