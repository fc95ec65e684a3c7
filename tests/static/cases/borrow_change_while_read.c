/* borrow conflict: a vector grows while one of its readers goes through it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct vector {
    size_t count;
    int values[16];
};

void vector_add(struct vector *vector, int value) GCA_CHANGES(vector);
void vector_double(struct vector *vector);

void vector_add(struct vector *vector, int value)
{
    gca_assert_unborrowed(vector);
    if (vector->count < 16)
        vector->values[vector->count++] = value;
}

void vector_double(struct vector *vector)
{
    int copy[16];
    size_t count = 0;
    {
        gca_with(reader, vector);
        for (size_t i = 0; i < reader->count && i < 8; i++) {
#ifdef BUG
            vector_add(vector, reader->values[i]);
#endif
            copy[count++] = reader->values[i];
        }
    }
#ifndef BUG
    for (size_t i = 0; i < count; i++)
        vector_add(vector, copy[i]);
#else
    (void)copy;
#endif
}

int main(void)
{
    struct vector *vector = gca_new(struct vector);
    if (vector == NULL)
        return 1;
    vector_add(vector, 1);
    vector_add(vector, 2);
    vector_double(vector);
    printf("%zu\n", vector->count);
    gca_drop(vector);
    return 0;
}
