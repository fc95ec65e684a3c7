/*
 * A block whose pages went back to the kernel with the first free.
 * expect: double free of {block} (67108864 bytes)
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    void *block = malloc(64 << 20);

    name_address("block", block);
    memset(block, 1, 64 << 20);
    free(block);
    free_hidden(block);
    return survive(1 << 20);
}
