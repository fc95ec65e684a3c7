/*
 * A pointer with its high bits set, which no memory access survives.
 * expect: invalid free of {tagged}: not in any heap: unmapped memory
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    const void *tagged = (const void *)0xdead000000000100;

    name_address("tagged", tagged);
    free_hidden(tagged);
    return survive(64);
}
