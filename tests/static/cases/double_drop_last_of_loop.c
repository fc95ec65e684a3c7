/* double drop: the loop frees each line, and the code behind it the last one again. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *next_line(int n)
{
    return n < 3 ? strdup("a line") : NULL;
}

int main(void)
{
    char *line = NULL;
    int lines = 0;
    do {
        line = next_line(lines);
        if (line == NULL)
            break;
        printf("%s\n", line);
        free(line);
    } while (++lines < 2);
#ifdef BUG
    free(line);
#endif
    return 0;
}
