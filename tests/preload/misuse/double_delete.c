/*
 * operator delete twice, by its mangled name.
 * expect: double free of {block} (48 bytes)
 */
#include "preload/misuse/misuse.h"

#include "support/subject.h"

int main(void)
{
    void (*release)(void *) = (void (*)(void *))subject_function("_ZdlPv");
    void *(*allocate)(size_t) = (void *(*)(size_t))subject_function("_Znwm");
    void *block = allocate(48);

    name_address("block", block);
    release(block);
    release(opaque(block));
    return survive(48);
}
