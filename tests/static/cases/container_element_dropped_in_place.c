/* double drop: an element is freed and stays in the table, which frees all it has. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 4 };

struct table {
    char *names[ROOM];
};

static void table_end(struct table *table)
{
    for (int i = 0; i < ROOM; i++)
        free(table->names[i]);
    free(table);
}

int main(void)
{
    struct table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return 1;
    table->names[1] = strdup("Ada");
    free(table->names[1]);
#ifndef BUG
    table->names[1] = NULL;
#endif
    table_end(table);
    return 0;
}
