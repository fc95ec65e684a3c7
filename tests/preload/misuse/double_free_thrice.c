/*
 * Every further free is reported.
 * expect: double free of {block} (48 bytes)
 * expect: double free of {block} (48 bytes)
 * expect: double free of {block} (48 bytes)
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    void *block = malloc(48);

    name_address("block", block);
    free(block);
    for (int i = 0; i < 3; i++)
        free_hidden(block);
    return survive(48);
}
