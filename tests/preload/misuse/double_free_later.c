/*
 * So many frees between that the block has long left the thread's buffer.
 * expect: double free of {block} (48 bytes)
 */
#include "preload/misuse/misuse.h"

int main(void)
{
    enum { OTHERS = 20000 };
    static void *others[OTHERS];
    void *block;

    for (int i = 0; i < OTHERS / 2; i++)
        others[i] = malloc(48);
    block = malloc(48);
    for (int i = OTHERS / 2; i < OTHERS; i++)
        others[i] = malloc(48);
    name_address("block", block);
    free(block);
    for (int i = 0; i < OTHERS; i++)
        free(others[i]);
    free_hidden(block);
    return survive(48);
}
