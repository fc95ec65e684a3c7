/*
 * With another free between, which a check of the last freed block alone would miss.
 * expect: double free of {block} (48 bytes)
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    void *block = malloc(48), *other = malloc(48);

    name_address("block", block);
    free(block);
    free(other);
    free_hidden(block);
    return survive(48);
}
