/*
 * A function.
 * expect: invalid free of {function}: not in any heap: code of {program}
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    name_address("function", (const void *)(size_t)&main);
    free_hidden((const void *)(size_t)&main);
    return survive(64);
}
