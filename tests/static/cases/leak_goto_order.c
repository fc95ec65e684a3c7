/* leak: two labels at the end of a function, and a jump to the later one. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct table {
    size_t size;
};
struct index_ {
    size_t size;
};

static int build(size_t size)
{
    int status = -1;
    struct table *table = gca_new(struct table);
    if (table == NULL)
        goto done;
    struct index_ *index = gca_new(struct index_);
    if (index == NULL)
        goto free_table;
    table->size = size;
    index->size = size / 2;
    if (index->size > 100)
#ifdef BUG
        goto free_table;
#else
        goto free_index;
#endif
    printf("%zu %zu\n", table->size, index->size);
    status = 0;
#ifndef BUG
free_index:
#endif
    gca_drop(index);
free_table:
    gca_drop(table);
done:
    return status;
}

int main(void)
{
    return build(1000) == 0;
}
