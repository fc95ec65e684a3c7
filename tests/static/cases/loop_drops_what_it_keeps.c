/* use after drop: each line is freed in the loop, the longest of them is used after it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    static const char *const lines[] = {"one", "three", "six"};
    char *longest = NULL;
    for (int i = 0; i < 3; i++) {
        char *line = strdup(lines[i]);
        if (line == NULL)
            break;
        if (longest == NULL || strlen(line) > strlen(longest)) {
#ifndef BUG
            free(longest);
#endif
            longest = line;
#ifdef BUG
            free(line);
#endif
            continue;
        }
        free(line);
    }
    if (longest != NULL)
        printf("%s\n", longest);
#ifndef BUG
    free(longest);
#endif
    return 0;
}
