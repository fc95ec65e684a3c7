/*
 * A block from posix_memalign.
 * expect: double free of {block} (4096 bytes)
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    void *block = NULL;

    if (posix_memalign(&block, 4096, 4096) != 0)
        return 1;
    name_address("block", block);
    free(block);
    free_hidden(block);
    return survive(4096);
}
