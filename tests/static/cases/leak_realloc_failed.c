/* leak: when growing fails, the only pointer to the old buffer is overwritten by NULL. */
#include <gcalloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *grow(char *buffer, size_t size)
{
#ifdef BUG
    buffer = realloc(buffer, size);
    if (buffer == NULL)
        return NULL;
    return buffer;
#else
    char *larger = realloc(buffer, size);
    if (larger == NULL) {
        free(buffer);
        return NULL;
    }
    return larger;
#endif
}

int main(void)
{
    char *buffer = malloc(16);
    if (buffer == NULL)
        return 1;
    strcpy(buffer, "full");
    volatile size_t too_much = PTRDIFF_MAX;
    buffer = grow(buffer, too_much);
    if (buffer != NULL)
        puts(buffer);
    free(buffer);
    return 0;
}
