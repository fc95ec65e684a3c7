/* borrow conflict: a block is resized, and may move, while it is borrowed. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    char *text = malloc(32);
    if (text == NULL)
        return 1;
    strcpy(text, "a short text");
    const char *reading = gca_borrow(text);
    size_t length = strlen(reading);
#ifndef BUG
    gca_end(reading);
#endif
    char *longer = realloc(text, 4096);
    if (longer != NULL)
        text = longer;
#ifdef BUG
    gca_end(reading);
#endif
    printf("%zu\n", length);
    free(text);
    return 0;
}
