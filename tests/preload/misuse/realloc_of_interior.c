/*
 * A pointer into a block.
 * expect: invalid realloc of {inside}: inside a block of 96 bytes at {block}
 */
#include "preload/misuse/misuse.h"

#include <errno.h>

int main(void)
{
    char *block = malloc(96);

    name_address("block", block);
    name_address("inside", block + 16);
    errno = 0;
    if (realloc(opaque(block + 16), 200) != NULL || errno != EINVAL)
        return 2;
    free(block);
    return survive(96);
}
