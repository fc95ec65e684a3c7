/*
 * Freed by its owner, then by another thread.
 * expect: double free of {block} (48 bytes)
 */
#include "preload/misuse/misuse.h"

static void *free_it(void *block)
{
    free_hidden(block);
    return NULL;
}

int main(void)
{
    void *block = malloc(48);

    name_address("block", block);
    free(block);
    in_a_thread(free_it, block);
    return survive(48);
}
