/* use after growth: the address from before realloc() is freed. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    size_t room = 16;
    char *line = malloc(room);
    if (line == NULL)
        return 1;
    line[0] = '\0';
    char *larger = realloc(line, room * 1000 + strlen(argv[argc - 1]));
    if (larger == NULL) {
        free(line);
        return 1;
    }
    puts(larger);
#ifdef BUG
    free(line);
#else
    free(larger);
#endif
    return 0;
}
