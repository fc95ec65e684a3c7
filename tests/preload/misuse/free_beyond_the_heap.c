/*
 * An address in the heap's reservation that holds nothing yet.
 * expect: invalid free of {far}: never allocated
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    char *block = malloc(48);

    name_address("far", block + ((size_t)8 << 30));
    free_hidden(block + ((size_t)8 << 30));
    free(block);
    return survive(48);
}
