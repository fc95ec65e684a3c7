/*
 * realloc(p, 0) is a free, and a second one is a double free.
 * expect: realloc of freed {block} (96 bytes)
 */
#include "preload/misuse/misuse.h"

#include <errno.h>

int main(void)
{
    void *block = malloc(96);

    name_address("block", block);
    free(block);
    errno = 0;
    if (realloc(opaque(block), opaque_size(0)) != NULL || errno != EINVAL)
        return 2;
    return survive(96);
}
