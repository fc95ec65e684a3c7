/* leak: a reader gives up on a bad line and forgets the record it had begun. */
#include <gcalloc.h>
#include <stdio.h>
#include <stdlib.h>

struct record {
    int key;
    int value;
};

static struct record *record_read(const char *line)
{
    struct record *record = gca_new(struct record);
    if (record == NULL)
        return NULL;
    if (sscanf(line, "%d=%d", &record->key, &record->value) != 2) {
#ifndef BUG
        gca_drop(record);
#endif
        return NULL;
    }
    return record;
}

int main(void)
{
    struct record *record = record_read("no record");
    if (record != NULL)
        printf("%d\n", record->key);
    gca_drop(record);
    return 0;
}
