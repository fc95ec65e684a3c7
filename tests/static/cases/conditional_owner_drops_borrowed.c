/* free of what is another's: a default is freed like a value that was read. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const fallback = "none";

static char *setting_read(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? strdup(value) : NULL;
}

int main(void)
{
    char *mine = setting_read("GCALLOC_NO_SUCH_VARIABLE");
    char *shown = mine != NULL ? mine : (char *)(uintptr_t)fallback;
    printf("%s\n", shown);
#ifdef BUG
    free(shown);
#else
    free(mine);
#endif
    return 0;
}
