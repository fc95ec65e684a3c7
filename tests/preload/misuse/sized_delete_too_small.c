/*
 * The other way round. (free_sized() can't tell: realloc may have left a shrunk block where it was.)
 * expect: sized delete of {block}: block of 1024 bytes deleted as 24 bytes
 */
#include "preload/misuse/misuse.h"

#include "support/subject.h"

int main(void)
{
    void (*release)(void *, size_t) = (void (*)(void *, size_t))subject_function("_ZdlPvm");
    void *block = malloc(1024);

    name_address("block", block);
    release(block, 24);
    return survive(1024);
}
