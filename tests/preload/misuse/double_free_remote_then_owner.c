/*
 * Freed by another thread, then by its owner.
 * expect: double free of {block} (48 bytes)
 */
#include "preload/misuse/misuse.h"

static void *free_it(void *block)
{
    free(block);
    return NULL;
}

int main(void)
{
    void *block = malloc(48);

    name_address("block", block);
    in_a_thread(free_it, block);
    free_hidden(block);
    return survive(48);
}
