/* use after drop: the context of a callback is gone when it is called. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counter {
    int calls;
};

struct source {
    void (*notify)(void *context);
    void *context;
};

static void count(void *context)
{
    struct counter *counter = context;
    counter->calls++;
}

static void source_fire(const struct source *source)
{
    source->notify(source->context);
}

int main(void)
{
    struct counter *counter = calloc(1, sizeof *counter);
    if (counter == NULL)
        return 1;
    struct source source = {count, counter};
    source_fire(&source);
#ifdef BUG
    free(counter);
    source_fire(&source);
#else
    source_fire(&source);
    free(counter);
#endif
    return 0;
}
