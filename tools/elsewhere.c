/*
 * tools/elsewhere: starting this command again.
 *
 * Our own modules lie elsewhere each time we start. A preloaded gcalloc takes up so much room that it is better left out.
 */
#include "tools/elsewhere.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RESTARTS_MAX = 8 };

void elsewhere_start(const char *command, char **arguments)
{
    static const char variable[] = "GCALLOC_RESTARTS";
    static char own_name[] = "gcalloc";
    const char *text = getenv(variable);
    int restarts = text != NULL ? atoi(text) : 0;
    if (restarts >= RESTARTS_MAX)
        return;
    char number[16];
    snprintf(number, sizeof number, "%d", restarts + 1);
    setenv(variable, number, 1);
    unsetenv("LD_PRELOAD");
    size_t count = 0;
    while (arguments[count] != NULL)
        count++;
    char **again = calloc(count + 3, sizeof again[0]);
    char *name = strdup(command);
    if (again != NULL && name != NULL) {
        again[0] = own_name;
        again[1] = name;
        memcpy(again + 2, arguments, count * sizeof again[0]);
        execv("/proc/self/exe", again);
    }
    free(again);
    free(name);
}
