/* double drop: what was already given away is freed at the label for errors. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list {
    char *first;
};

static void list_keep(struct list *list, char *text) GCA_KEEPS(text, 2);

static void list_keep(struct list *list, char *text)
{
    free(list->first);
    list->first = text;
}

static int list_load(struct list *list, int number)
{
    char *text = malloc(16);
    if (text == NULL)
        return -1;
    snprintf(text, 16, "%d", number);
    list_keep(list, text);
    if (number < 0)
        goto failed;
    return 0;
failed:
#ifdef BUG
    free(text);
#endif
    return -1;
}

int main(void)
{
    struct list list = {NULL};
    int result = list_load(&list, -5);
    free(list.first);
    return result == 0;
}
