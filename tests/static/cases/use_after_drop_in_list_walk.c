/* use after drop: the loop steps on from a node it has freed. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
    struct node *next;
    int value;
};

static struct node *push(struct node *first, int value)
{
    struct node *node = gca_new(struct node);
    if (node == NULL)
        return first;
    node->value = value;
    node->next = first;
    return node;
}

static void free_all(struct node *first)
{
#ifdef BUG
    for (struct node *node = first; node != NULL; node = node->next)
        gca_drop(node);
#else
    struct node *next;
    for (struct node *node = first; node != NULL; node = next) {
        next = node->next;
        gca_drop(node);
    }
#endif
}

int main(void)
{
    struct node *first = push(push(push(NULL, 1), 2), 3);
    free_all(first);
    return 0;
}
