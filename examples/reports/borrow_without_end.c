/*
 * borrow_without_end: a function returns early, and the borrow it has begun does not end; who wants to change the list is refused for ever.
 *
 * The option check=report tells where that borrow began, when the program ends or asks. gca_with() would have ended it. It says:
 *
 *     gcalloc: audit: 1 finding
 *       0x7f31c0 (16 bytes, struct list) is borrowed
 *     gcalloc: error: a borrow of 0x7f31c0 (16 bytes, struct list) has not ended
 *       borrowed     list_has  borrow_without_end.c:34
 *       see gcalloc(7), "borrow conflict"
 */
#include <gcalloc.h>
#include <stdio.h>

struct list {
    int *numbers;
    int count;
};

GCA_TYPE(struct list);

static int numbers[] = {3, 5, 7};

static struct list *list_make(void)
{
    struct list *list = gca_new(struct list);
    if (list != NULL)
        *list = (struct list){numbers, 3};
    return list;
}

static int list_has(struct list *list, int wanted)
{
    const struct list *reader = gca_borrow(list);
    for (int i = 0; i < reader->count; i++)
        if (reader->numbers[i] == wanted)
            return 1; /* the mistake: gca_end(reader) is missing here */
    gca_end(reader);
    return 0;
}

int main(void)
{
    struct list *list = list_make();
    if (list == NULL)
        return 1;
    printf("%d %d\n", list_has(list, 4), list_has(list, 5));
    gca_audit_report();
    return 0;
}
