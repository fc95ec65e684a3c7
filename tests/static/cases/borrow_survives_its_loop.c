/* borrow never ended: break leaves the loop with it. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cell {
    int value;
};

static int find(struct cell **cells, int count, int wanted)
{
    int found = -1;
    for (int i = 0; i < count; i++) {
        const struct cell *cell = gca_borrow(cells[i]);
        if (cell->value == wanted) {
            found = i;
#ifndef BUG
            gca_end(cell);
#endif
            break;
        }
        gca_end(cell);
    }
    return found;
}

int main(void)
{
    struct cell *cells[2] = {gca_new(struct cell), gca_new(struct cell)};
    int found = -1;
    if (cells[0] != NULL && cells[1] != NULL) {
        cells[1]->value = 4;
        found = find(cells, 2, 4);
    }
    gca_drop(cells[0]);
    gca_drop(cells[1]);
    return found != 1;
}
