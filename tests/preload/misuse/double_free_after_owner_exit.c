/*
 * Allocated and freed by a thread that has ended since, then freed again.
 * expect: double free of {block} (48 bytes)
 */
#include "preload/misuse/misuse.h"

static void *make_and_free_it(void *unused)
{
    void *block = malloc(48);

    (void)unused;
    free(block);
    return opaque(block);
}

int main(void)
{
    void *block = in_a_thread(make_and_free_it, NULL);

    name_address("block", block);
    free_hidden(block);
    return survive(48);
}
