/* leak: a file stays open when its head is wrong. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int head_of(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return -1;
    char *line = malloc(80);
    if (line == NULL) {
        fclose(file);
        return -1;
    }
    if (fgets(line, 80, file) == NULL) {
        free(line);
#ifndef BUG
        fclose(file);
#endif
        return -1;
    }
    int first = line[0];
    free(line);
    fclose(file);
    return first;
}

int main(void)
{
    return head_of("/dev/null") != -1;
}
