/* leak: comment lines are skipped before their buffer is freed. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const lines[] = {"one", "# two", "three", "# four"};

int main(void)
{
    size_t total = 0;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char *line = strdup(lines[i]);
        if (line == NULL)
            return 1;
        if (line[0] == '#') {
#ifndef BUG
            free(line);
#endif
            continue;
        }
        total += strlen(line);
        free(line);
    }
    printf("%zu\n", total);
    return 0;
}
