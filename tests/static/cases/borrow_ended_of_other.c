/* wrong end: of two borrows one is ended twice and the other never. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct polygon {
    int corners;
};

int compare(const struct polygon *a, const struct polygon *b);

int compare(const struct polygon *a, const struct polygon *b)
{
    const struct polygon *left = gca_borrow(a);
    const struct polygon *right = gca_borrow(b);
    int difference = left->corners - right->corners;
    gca_end(left);
#ifdef BUG
    gca_end(left);
#else
    gca_end(right);
#endif
    return difference;
}

int main(void)
{
    struct polygon *a = gca_new(struct polygon);
    struct polygon *b = gca_new(struct polygon);
    if (a != NULL && b != NULL)
        printf("%d\n", compare(a, b));
    gca_drop(a);
    gca_drop(b);
    return 0;
}
