/* leak: parent and child hold each other with strong references. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct element {
    struct element *child;
    struct element *parent;
    gca_weak up;
};

static void element_drop(void *object)
{
    struct element *element = object;
    gca_release(element->child);
    gca_release(element->parent);
}

GCA_TYPE(struct element, .drop = element_drop);

int main(void)
{
    struct element *root = gca_rc_new(struct element);
    if (root == NULL)
        return 1;
    root->child = gca_rc_new(struct element);
    if (root->child != NULL) {
#ifdef BUG
        root->child->parent = gca_retain(root);
#else
        root->child->up = gca_downgrade(root);
#endif
    }
    gca_release(root);
    return 0;
}
