/* leak: a table of handles is not freed when it could not be filled. */
#include <gcalloc.h>
#include <stdio.h>

static int fill(int count)
{
    static int objects[8];
    gca_handles *table = gca_handles_new(4);
    if (table == NULL)
        return -1;
    for (int i = 0; i < count; i++) {
        gca_handle handle = gca_handle_add(table, &objects[i]);
        if (handle.word == 0) {
#ifndef BUG
            gca_handles_free(table);
#endif
            return -2;
        }
    }
    gca_handles_free(table);
    return 0;
}

int main(void)
{
    printf("%d %d\n", fill(3), fill(6));
    return 0;
}
