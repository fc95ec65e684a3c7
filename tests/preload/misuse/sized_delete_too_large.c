/*
 * A base class without virtual destructor deletes what it is not.
 * expect: sized delete of {block}: block of 48 bytes deleted as 1000 bytes
 */
#include "preload/misuse/misuse.h"

#include "support/subject.h"

int main(void)
{
    void (*release)(void *, size_t) = (void (*)(void *, size_t))subject_function("_ZdlPvm");
    void *block = malloc(48);

    name_address("block", block);
    release(block, 1000);
    return survive(48);
}
