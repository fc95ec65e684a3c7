/*
 * Freed twice by a thread that does not own it.
 * expect: double free of {block} (48 bytes)
 */
#include "preload/misuse/misuse.h"

static void *free_it_twice(void *block)
{
    free(block);
    free_hidden(block);
    return NULL;
}

int main(void)
{
    void *block = malloc(48);

    name_address("block", block);
    in_a_thread(free_it_twice, block);
    return survive(48);
}
