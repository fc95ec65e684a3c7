/* double drop: freed by hand although the end of the block was told to. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t trimmed(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return 0;
    gca_defer(free, copy);
    size_t length = strlen(copy);
    while (length > 0 && copy[length - 1] == ' ')
        copy[--length] = '\0';
#ifdef BUG
    free(copy);
#endif
    return length;
}

int main(void)
{
    printf("%zu\n", trimmed("some text   "));
    return 0;
}
