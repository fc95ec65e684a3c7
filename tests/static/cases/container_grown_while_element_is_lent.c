/* borrow conflict: the array is resized while an element of it is read. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    int cells[4];
};

struct sheet {
    struct row *rows;
    size_t count;
};

static int sheet_grow(struct sheet *sheet) GCA_CHANGES(sheet);
static int sheet_first(const struct sheet *sheet) GCA_READS(sheet);

static int sheet_grow(struct sheet *sheet)
{
    struct row *rows = calloc(sheet->count * 2 + 1, sizeof *rows);
    if (rows == NULL)
        return -1;
    free(sheet->rows);
    sheet->rows = rows;
    sheet->count = sheet->count * 2 + 1;
    return 0;
}

static int sheet_first(const struct sheet *sheet)
{
    return sheet->count != 0 ? sheet->rows[0].cells[0] : 0;
}

int main(void)
{
    struct sheet *sheet = calloc(1, sizeof *sheet);
    if (sheet == NULL)
        return 1;
    int result = sheet_grow(sheet);
    {
        gca_with(view, sheet);
        printf("%d\n", sheet_first(view));
#ifdef BUG
        result |= sheet_grow(sheet);
#endif
    }
#ifndef BUG
    result |= sheet_grow(sheet);
#endif
    free(sheet->rows);
    free(sheet);
    return result != 0;
}
