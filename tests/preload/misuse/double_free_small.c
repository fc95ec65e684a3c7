/*
 * The classic.
 * expect: double free of {block} (48 bytes)
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    void *block = malloc(48);

    name_address("block", block);
    free(block);
    free_hidden(block);
    return survive(48);
}
