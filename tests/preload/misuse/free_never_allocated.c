/*
 * A slot that no malloc has returned yet: far behind the first block of its size.
 * expect: invalid free of {slot}: never allocated
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    char *block = malloc(3072);

    name_address("slot", block + 3 * 3072);
    free_hidden(block + 3 * 3072);
    free(block);
    return survive(3072);
}
