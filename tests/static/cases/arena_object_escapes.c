/* arena: a table that lives on keeps an object of an arena that has ended. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct symbol {
    int line;
};
struct scope {
    struct symbol *last;
};

static void compile(struct scope *scope)
{
    gca_with_arena(arena);
    if (arena == NULL)
        return;
    struct symbol *symbol = gca_arena_make(arena, struct symbol);
    if (symbol == NULL)
        return;
    symbol->line = 12;
#ifdef BUG
    scope->last = symbol;
#else
    scope->last = gca_copy_out(symbol, sizeof *symbol);
#endif
}

int main(void)
{
    struct scope *scope = gca_new(struct scope);
    if (scope == NULL)
        return 1;
    compile(scope);
    if (scope->last != NULL)
        printf("%d\n", scope->last->line);
#ifndef BUG
    free(scope->last);
#endif
    gca_drop(scope);
    return 0;
}
