/*
 * A small number that was never a pointer.
 * expect: invalid free of {number}: not in any heap: unmapped memory
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    const void *number = (const void *)0x30;

    name_address("number", number);
    free_hidden(number);
    return survive(64);
}
