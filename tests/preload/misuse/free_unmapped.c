/*
 * An address where nothing is.
 * expect: invalid free of {nowhere}: not in any heap: unmapped memory
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    const void *nowhere = (const void *)0x123456780;

    name_address("nowhere", nowhere);
    free_hidden(nowhere);
    return survive(64);
}
