/* double drop: the list has the item, and the caller frees it all the same. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct item {
    struct item *next;
    int value;
};
struct list {
    struct item *first;
};

void item_free(struct item *item) GCA_DROPS(item, 1);
struct item *item_new(int value) GCA_OWNED(item_free);
void list_add(struct list *list, struct item *item) GCA_CHANGES(list) GCA_KEEPS(item, 2);
void list_clear(struct list *list) GCA_CHANGES(list);
int list_fill(struct list *list) GCA_CHANGES(list);

void item_free(struct item *item)
{
    gca_drop(item);
}

struct item *item_new(int value)
{
    struct item *item = gca_new(struct item);
    if (item != NULL)
        item->value = value;
    return item;
}

void list_add(struct list *list, struct item *item)
{
    item->next = list->first;
    list->first = item;
}

void list_clear(struct list *list)
{
    while (list->first != NULL) {
        struct item *item = list->first;
        list->first = item->next;
        item_free(item);
    }
}

int list_fill(struct list *list)
{
    for (int i = 0; i < 3; i++) {
        struct item *item = item_new(i);
        if (item == NULL)
            return -1;
        list_add(list, item);
#ifdef BUG
        if (i == 2)
            item_free(item);
#endif
    }
    return 0;
}

int main(void)
{
    struct list list = {NULL};
    list_fill(&list);
    list_clear(&list);
    return 0;
}
