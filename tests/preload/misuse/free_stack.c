/*
 * A local variable.
 * expect: invalid free of {local}: not in any heap: a stack
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    char local[64] = "";

    name_address("local", local);
    free_hidden(local);
    return survive(64);
}
