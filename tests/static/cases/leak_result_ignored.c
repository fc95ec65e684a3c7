/* leak: a function that returns a new object is called for its effect. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct vector {
    double x, y;
};

void vector_free(struct vector *vector) GCA_DROPS(vector, 1);
struct vector *vector_add(const struct vector *a, const struct vector *b) GCA_OWNED(vector_free);

void vector_free(struct vector *vector)
{
    free(vector);
}

struct vector *vector_add(const struct vector *a, const struct vector *b)
{
    struct vector *sum = malloc(sizeof *sum);
    if (sum != NULL) {
        sum->x = a->x + b->x;
        sum->y = a->y + b->y;
    }
    return sum;
}

int main(void)
{
    struct vector a = {1, 2}, b = {3, 4};
#ifdef BUG
    vector_add(&a, &b);
#else
    struct vector *sum = vector_add(&a, &b);
    if (sum != NULL)
        a = *sum;
    vector_free(sum);
#endif
    printf("%g %g\n", a.x, a.y);
    return 0;
}
