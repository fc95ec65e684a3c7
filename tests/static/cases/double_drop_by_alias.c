/* double drop: the current element has a second name. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct frame {
    int depth;
};

int main(void)
{
    struct frame *top = gca_new(struct frame);
    if (top == NULL)
        return 1;
    struct frame *current = top;
    current->depth = 3;
    printf("%d\n", top->depth);
    gca_drop(current);
#ifdef BUG
    gca_drop(top);
#endif
    return 0;
}
