/* leak: each word is joined to the text, and the text before is lost. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *join(const char *text, const char *word)
{
    char *joined = malloc(strlen(text) + strlen(word) + 1);
    if (joined != NULL) {
        strcpy(joined, text);
        strcat(joined, word);
    }
    return joined;
}

int main(void)
{
    static const char *const words[] = {"a", "bc", "def"};
    char *text = strdup("");
    for (int i = 0; i < 3 && text != NULL; i++) {
        char *longer = join(text, words[i]);
#ifndef BUG
        free(text);
#endif
        text = longer;
    }
    if (text != NULL)
        puts(text);
    free(text);
    return 0;
}
