/* use after drop: what is made before the loop is freed in its first round. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    char *scratch = malloc(64);
    if (scratch == NULL)
        return 1;
    for (int i = 0; i < 3; i++) {
        snprintf(scratch, 64, "round %d", i);
        puts(scratch);
#ifdef BUG
        free(scratch);
#endif
    }
#ifndef BUG
    free(scratch);
#endif
    return 0;
}
