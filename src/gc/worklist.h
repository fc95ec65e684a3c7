/*
 * gc/worklist: words that were found and are still to be followed, last in, first out, in a fixed amount of memory.
 *
 * When it is full, the caller leaves the blocks grey (gc/grey.h) and finds them again later.
 */
#ifndef GC_WORKLIST_H
#define GC_WORKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address in the heap, as an offset from its start. */
struct work {
    uint64_t word;
};

/* In the top bits, which no offset has. */
#define WORK_REST ((uint64_t)1 << 63)    /* a large block, which is marked already, is to be scanned from here on */
#define WORK_NO_END ((uint64_t)1 << 62)  /* it is not the end of the block before */
#define WORK_TAGS (WORK_REST | WORK_NO_END)

struct worklist {
    struct work *items;
    size_t count;
    size_t limit;
};

static inline bool worklist_push(struct worklist *list, uint64_t word)
{
    if (list->count == list->limit)
        return false;
    list->items[list->count++].word = word;
    return true;
}

/* The list is not empty. */
static inline uint64_t worklist_pop(struct worklist *list)
{
    return list->items[--list->count].word;
}

#endif
