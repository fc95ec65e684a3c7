/* double drop: a variable that is dropped at the end of its block is dropped by hand, too. */
#include <gcalloc.h>
#include <stdio.h>

struct cursor {
    int row;
};

int rows(int limit);

int rows(int limit)
{
    gca_scoped(struct cursor *, cursor, gca_new(struct cursor));
    if (cursor == NULL)
        return -1;
    while (cursor->row < limit)
        cursor->row++;
    int seen = cursor->row;
#ifdef BUG
    gca_drop(cursor);
#endif
    return seen;
}

int main(void)
{
    printf("%d\n", rows(10));
    return 0;
}
