/* leak: one case of a switch returns without freeing what the others free below. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum verb { VERB_GET, VERB_PUT, VERB_NONE };

static int handle(enum verb verb, const char *argument)
{
    char *copy = strdup(argument);
    if (copy == NULL)
        return -1;
    int status = 0;
    switch (verb) {
    case VERB_GET:
        printf("get %s\n", copy);
        break;
    case VERB_PUT:
        printf("put %s\n", copy);
        break;
    case VERB_NONE:
#ifdef BUG
        return -2;
#else
        status = -2;
        break;
#endif
    }
    free(copy);
    return status;
}

int main(void)
{
    handle(VERB_GET, "a");
    handle(VERB_NONE, "b");
    return 0;
}
