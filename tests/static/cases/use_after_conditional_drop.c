/* use after drop: only if it was empty, and then it is used below. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct batch {
    int count;
    int sum;
};

static int finish(int count)
{
    struct batch *batch = gca_new(struct batch);
    if (batch == NULL)
        return -1;
    batch->count = count;
    if (batch->count == 0) {
        gca_drop(batch);
#ifndef BUG
        return 0;
#endif
    }
    batch->sum = batch->count * 3;
    int sum = batch->sum;
    gca_drop(batch);
    return sum;
}

int main(void)
{
    printf("%d\n", finish(0));
    return 0;
}
