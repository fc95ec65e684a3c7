/*
 * Memory that mmap gave.
 * expect: invalid free of {pages}: not in any heap: mapped memory
 */
#include "preload/misuse/misuse.h"

#include <sys/mman.h>

int main(void)
{
    void *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    name_address("pages", pages);
    free_hidden(pages);
    memset(pages, 1, 8192);
    return survive(64);
}
