/* arena: an object is read after its arena has ended. */
#include <gcalloc.h>
#include <stdio.h>

struct word {
    int length;
};

static int longest(const char *text)
{
    gca_arena *arena = gca_arena_new(NULL);
    if (arena == NULL)
        return -1;
    struct word *best = gca_arena_make(arena, struct word);
    if (best == NULL) {
        gca_arena_free(arena);
        return -1;
    }
    for (int run = 0; *text != '\0'; text++) {
        run = *text == ' ' ? 0 : run + 1;
        if (run > best->length)
            best->length = run;
    }
#ifdef BUG
    gca_arena_free(arena);
    return best->length;
#else
    int length = best->length;
    gca_arena_free(arena);
    return length;
#endif
}

int main(void)
{
    printf("%d\n", longest("the quick brown fox"));
    return 0;
}
