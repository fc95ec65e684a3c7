/*
 * A local variable of another thread.
 * expect: invalid free of {local}: not in any heap: a stack
 */
#include "preload/misuse/misuse.h"

static void *free_a_local(void *unused)
{
    char local[64] = "";

    (void)unused;
    name_address("local", local);
    free_hidden(local);
    return NULL;
}

int main(void)
{
    in_a_thread(free_a_local, NULL);
    return survive(64);
}
