/*
 * A large block deleted as a small one.
 * expect: sized delete of {block}: block of 1048576 bytes deleted as 64 bytes
 */
#include "preload/misuse/misuse.h"

#include "support/subject.h"

int main(void)
{
    void (*release)(void *, size_t) = (void (*)(void *, size_t))subject_function("_ZdaPvm");
    void *block = malloc(1 << 20);

    name_address("block", block);
    release(block, 64);
    return survive(1 << 20);
}
