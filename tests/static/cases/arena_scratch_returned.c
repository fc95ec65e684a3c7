/* arena: a text in a scratch arena is returned beyond the scratch's scope, and another scratch overwrites it. */
#include <gcalloc.h>
#include <stdio.h>
#include <string.h>

static const char *title(gca_arena *result, int n)
{
    gca_with_scratch(scratch, result);
    if (scratch == NULL)
        return NULL;
    const char *draft = gca_arena_printf(scratch, "chapter %d", n);
    if (draft == NULL)
        return NULL;
#ifdef BUG
    return draft;
#else
    return gca_arena_strdup(result, draft);
#endif
}

int main(void)
{
    gca_with_arena(arena);
    if (arena == NULL)
        return 1;
    const char *one = title(arena, 1);
    const char *two = title(arena, 2);
    if (one == NULL || two == NULL)
        return 1;
    printf("%s, %s\n", one, two);
    return strcmp(one, two) == 0;
}
