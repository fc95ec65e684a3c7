/* borrow conflict: a function reads the owner's pointer while a mutable borrow is open. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct counter {
    int value;
};

int counter_value(const struct counter *counter) GCA_READS(counter);
int bump(struct counter *counter);

int counter_value(const struct counter *counter)
{
    gca_with(view, counter);
    return view->value;
}

int bump(struct counter *counter)
{
    gca_with_mut(writing, counter);
    writing->value += 1;
#ifdef BUG
    return counter_value(counter);
#else
    return writing->value;
#endif
}

int main(void)
{
    struct counter *counter = gca_new(struct counter);
    if (counter == NULL)
        return 1;
    printf("%d\n", bump(counter));
    gca_drop(counter);
    return 0;
}
