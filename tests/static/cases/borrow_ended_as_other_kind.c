/* wrong end: a shared borrow is ended as if it were a mutable one. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct matrix {
    double cells[4];
};

double trace(struct matrix *matrix);

double trace(struct matrix *matrix)
{
    const struct matrix *m = gca_borrow(matrix);
    double sum = m->cells[0] + m->cells[3];
#ifdef BUG
    gca_end_mut((void *)m);
#else
    gca_end(m);
#endif
    return sum;
}

int main(void)
{
    struct matrix *matrix = gca_new(struct matrix);
    if (matrix == NULL)
        return 1;
    printf("%g\n", trace(matrix));
    gca_drop(matrix);
    return 0;
}
