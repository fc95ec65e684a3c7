/*
 * tool/dangling: a program of which it is known who points to what it has freed, for the option quarantine. It says where its blocks were, a
 * name and an address a line, then "done", and waits for a line.
 */
#include "support/opaque.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct holder {
    long other;
    char *inside;
};

char *dangling_global;
struct holder *dangling_holder; /* a block that lives */

static char *block(const char *name, size_t size_bytes)
{
    char *made = opaque(malloc(size_bytes));
    if (made == NULL)
        abort();
    printf("%s %p\n", name, (void *)made);
    return made;
}

__attribute__((noinline)) static void drop(void *freed)
{
    free(freed);
}

/* What it leaves on the stack is below the frames that live. */
__attribute__((noinline)) static void make(char **on_stack)
{
    dangling_global = block("global", 100);
    dangling_holder = opaque(malloc(sizeof *dangling_holder));
    dangling_holder->inside = block("inside", 200) + 24;
    *on_stack = block("stack", 300);
    uintptr_t hidden = ~(uintptr_t)block("nobody", 400);
    drop(dangling_global);
    drop(dangling_holder->inside - 24);
    drop(*on_stack);
    drop((void *)~hidden);
}

int main(void)
{
    char *volatile on_stack;
    char line[16];
    make((char **)&on_stack);
    puts("done");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) != NULL && strcmp(line, "abort\n") == 0)
        abort();
    return on_stack == NULL;
}
