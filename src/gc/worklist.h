/*
 * gc/worklist: what is marked and still to be scanned, last in, first out, in a fixed amount of memory.
 *
 * When it is full, the caller leaves the block grey (gc/white.h) and finds it again later.
 */
#ifndef GC_WORKLIST_H
#define GC_WORKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory to be scanned: a block, or the rest of a large one. */
struct work {
    uintptr_t start;
    size_t size_bytes;
};

struct worklist {
    struct work *items;
    size_t count;
    size_t limit;
};

static inline bool worklist_push(struct worklist *list, struct work work)
{
    if (list->count == list->limit)
        return false;
    list->items[list->count++] = work;
    return true;
}

/* The list is not empty. */
static inline struct work worklist_pop(struct worklist *list)
{
    return list->items[--list->count];
}

#endif
