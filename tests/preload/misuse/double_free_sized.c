/*
 * The second free says the size; that makes it no better.
 * expect: double free of {block} (48 bytes)
 */
#include "preload/misuse/misuse.h"

#include "support/subject.h"

int main(void)
{
    void (*release)(void *, size_t) = (void (*)(void *, size_t))subject_function("free_sized");
    void *block = malloc(48);

    name_address("block", block);
    release(block, 48);
    release(opaque(block), 48);
    return survive(48);
}
