/* arena: not freed when the input is empty. */
#include <gcalloc.h>
#include <stdio.h>

static int count_words(const char *text)
{
    gca_arena *arena = gca_arena_new(NULL);
    if (arena == NULL)
        return -1;
    if (*text == '\0') {
#ifndef BUG
        gca_arena_free(arena);
#endif
        return 0;
    }
    char *copy = gca_arena_strdup(arena, text);
    int words = 0;
    for (char *c = copy; c != NULL && *c != '\0'; c++)
        words += *c == ' ';
    gca_arena_free(arena);
    return words + 1;
}

int main(void)
{
    printf("%d %d\n", count_words("a b"), count_words(""));
    return 0;
}
