/*
 * A slot that no malloc has returned yet.
 * expect: invalid realloc of {slot}: never allocated
 */
#include "preload/misuse/misuse.h"

#include <errno.h>

int main(void)
{
    char *block = malloc(3072);

    name_address("slot", block + 3 * 3072);
    errno = 0;
    if (realloc(opaque(block + 3 * 3072), 100) != NULL || errno != EINVAL)
        return 2;
    free(block);
    return survive(3072);
}
