/*
 * A large one.
 * expect: realloc of freed {block} (1048576 bytes)
 */
#include "preload/misuse/misuse.h"

#include <errno.h>

int main(void)
{
    void *block = malloc(1 << 20);

    name_address("block", block);
    free(block);
    errno = 0;
    if (realloc(opaque(block), 2 << 20) != NULL || errno != EINVAL)
        return 2;
    return survive(1 << 20);
}
