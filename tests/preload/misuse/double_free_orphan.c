/*
 * A block whose owner is gone, freed twice by the thread that is left.
 * expect: double free of {block} (48 bytes)
 */
#include "preload/misuse/misuse.h"

static void *make_it(void *unused)
{
    (void)unused;
    return malloc(48);
}

int main(void)
{
    void *block = in_a_thread(make_it, NULL);

    name_address("block", block);
    free(block);
    free_hidden(block);
    return survive(48);
}
