/* wrong address: a buffer that may be a local array or a block is freed either way. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t join(const char *a, const char *b)
{
    char small[32];
    char *text = small;
    size_t length = strlen(a) + strlen(b) + 1;
    if (length > sizeof small)
        text = malloc(length);
    if (text == NULL)
        return 0;
    snprintf(text, length, "%s%s", a, b);
    length = strlen(text);
#ifdef BUG
    free(text);
#else
    if (text != small)
        free(text);
#endif
    return length;
}

int main(void)
{
    printf("%zu\n", join("short ", "text"));
    return 0;
}
