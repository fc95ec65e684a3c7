/* count too low: the loser of a race to fill a cache releases its copy twice. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct font {
    int size;
};

static struct font *cached;

static int cache_fill(int size)
{
    struct font *font = gca_rc_new(struct font);
    if (font == NULL)
        return -1;
    font->size = size;
    if (cached != NULL) {
        gca_release(font);
#ifdef BUG
        gca_release(font);
#endif
        return 1;
    }
    cached = font;
    return 0;
}

int main(void)
{
    cache_fill(10);
    cache_fill(12);
    gca_release(cached);
    return 0;
}
