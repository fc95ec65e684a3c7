/* double drop: a visitor frees what its caller frees as well. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item {
    struct item *next;
    int value;
};

static void show(struct item *item, void *context)
{
    (void)context;
    printf("%d\n", item->value);
#ifdef BUG
    free(item);
#endif
}

static void items_end(struct item *first, void (*visit)(struct item *item, void *context))
{
    while (first != NULL) {
        struct item *next = first->next;
        visit(first, NULL);
        free(first);
        first = next;
    }
}

int main(void)
{
    struct item *item = calloc(1, sizeof *item);
    if (item != NULL)
        item->value = 7;
    items_end(item, show);
    return 0;
}
