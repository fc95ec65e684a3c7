/* arena: free() of a text that lies in an arena. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    gca_with_arena(arena);
    if (arena == NULL)
        return 1;
    char *greeting = gca_arena_strdup(arena, "good morning");
    if (greeting == NULL)
        return 1;
    puts(greeting);
#ifdef BUG
    free(greeting);
#endif
    return 0;
}
