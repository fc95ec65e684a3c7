/* leak: a flag says whether the buffer is one's own, and is set wrongly. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct buffer {
    char *text;
    int is_owned;
};

static int buffer_set(struct buffer *buffer, const char *text, int copies)
{
    buffer->text = copies ? strdup(text) : (char *)(uintptr_t)text;
#ifdef BUG
    buffer->is_owned = 0;
#else
    buffer->is_owned = copies;
#endif
    return buffer->text != NULL ? 0 : -1;
}

static void buffer_clear(struct buffer *buffer)
{
    if (buffer->is_owned)
        free(buffer->text);
    buffer->text = NULL;
}

int main(int argc, char **argv)
{
    struct buffer buffer = {NULL, 0};
    if (buffer_set(&buffer, argv[0], argc > 0) != 0)
        return 1;
    printf("%zu\n", strlen(buffer.text));
    buffer_clear(&buffer);
    return 0;
}
