/*
 * Asking is no error: what is no block has no usable bytes.
 */
#include "preload/misuse/misuse.h"

#include <malloc.h>

int main(void)
{
    static const size_t sizes[] = {16, 48, 1000, 30000, 100000, 5 << 20};

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *block = malloc(sizes[i]), *former = opaque(block);

        if (malloc_usable_size(former) < sizes[i])
            return 2;
        free(block);
        if (malloc_usable_size(former) != 0 || malloc_usable_size(former + 16) != 0)
            return 3;
    }
    return survive(48);
}
