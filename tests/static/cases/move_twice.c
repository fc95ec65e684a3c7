/* use after move: the same buffer is put into two places; the second gets NULL and trusts it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct buffer {
    size_t length;
};

static size_t consume(struct buffer *buffer)
{
    size_t length = buffer->length;
    gca_drop(buffer);
    return length;
}

int main(void)
{
    struct buffer *buffer = gca_new(struct buffer);
    if (buffer == NULL)
        return 1;
    buffer->length = 4;
    size_t total = consume(gca_move(buffer));
#ifdef BUG
    total += consume(gca_move(buffer));
#endif
    printf("%zu\n", total);
    return 0;
}
