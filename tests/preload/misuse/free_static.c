/*
 * A global variable.
 * expect: invalid free of {variable}: not in any heap: static data of {program}
 */
#include "preload/misuse/misuse.h"

static char variable[64];

int main(void)
{
    name_address("variable", variable);
    free_hidden(variable);
    return survive(64);
}
