/* arena: the parser frees it on a syntax error, and its caller does so always. */
#include <gcalloc.h>
#include <stdio.h>

static int parse(gca_arena *arena, const char *text)
{
    char *copy = gca_arena_strdup(arena, text);
    if (copy == NULL || copy[0] != '{') {
#ifdef BUG
        gca_arena_free(arena);
#endif
        return -1;
    }
    return 0;
}

int main(void)
{
    gca_arena *arena = gca_arena_new(NULL);
    if (arena == NULL)
        return 1;
    int error = parse(arena, "[");
    gca_arena_free(arena);
    return error == 0;
}
