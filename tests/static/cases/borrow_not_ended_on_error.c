/* borrow never ended: the function leaves early. */
#include <errno.h>
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct tree {
    int depth;
};

int tree_depth(struct tree *tree, int limit, int *depth_out);

int tree_depth(struct tree *tree, int limit, int *depth_out)
{
    const struct tree *view = gca_borrow(tree);
    if (view->depth > limit) {
#ifndef BUG
        gca_end(view);
#endif
        return -ERANGE;
    }
    *depth_out = view->depth;
    gca_end(view);
    return 0;
}

int main(void)
{
    struct tree *tree = gca_new(struct tree);
    int depth = 0;
    if (tree == NULL)
        return 1;
    tree->depth = 9;
    tree_depth(tree, 3, &depth);
    gca_drop(tree);
    return depth;
}
