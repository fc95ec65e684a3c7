/* double drop: freed early to save memory, then the work fails and the label frees it again. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct scratch {
    int words[64];
};

static int sum_of(int count)
{
    int sum = -1;
    struct scratch *scratch = gca_new(struct scratch);
    if (scratch == NULL)
        return -1;
    if (count > 64)
        goto out;
    for (int i = 0; i < count; i++)
        scratch->words[i] = i;
    sum = scratch->words[count / 2];
    gca_drop(scratch);
#ifndef BUG
    scratch = NULL;
#endif
    if (sum < 10)
        goto out;
    printf("%d\n", sum);
    return sum;
out:
    gca_drop(scratch);
    return sum;
}

int main(void)
{
    sum_of(4);
    sum_of(40);
    return 0;
}
