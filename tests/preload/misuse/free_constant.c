/*
 * A string literal.
 * expect: invalid free of {literal}: not in any heap: static data of {program}
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    static const char literal[] = "a constant";

    name_address("literal", literal);
    free_hidden(literal);
    return survive(64);
}
