/*
 * A local variable.
 * expect: invalid realloc of {local}: not in any heap: a stack
 */
#include "preload/misuse/misuse.h"

#include <errno.h>

int main(void)
{
    char local[64] = "";

    name_address("local", local);
    errno = 0;
    if (realloc(opaque(local), 200) != NULL || errno != EINVAL)
        return 2;
    return survive(64);
}
