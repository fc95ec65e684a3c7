/*
 * gc/worklist: what is marked and still to be scanned, last in, first out, in a fixed amount of memory.
 *
 * When it is full, the caller leaves the block grey (gc/grey.h) and finds it again later.
 */
#ifndef GC_WORKLIST_H
#define GC_WORKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Memory to be scanned, in one word: the address, and from bit 56 on the class of the slot that begins there plus one, or
 * WHITE_UNIT_LARGE (gc/white.h): then it is a place in a large block, from which on that is to be scanned.
 */
struct work {
    uint64_t word;
};

enum { WORK_CLASS_SHIFT = 56 };

static inline struct work work_of(uintptr_t start, size_t class_number)
{
    return (struct work){start | (uint64_t)class_number << WORK_CLASS_SHIFT};
}

static inline uintptr_t work_start(struct work work)
{
    return (uintptr_t)(work.word & (((uint64_t)1 << WORK_CLASS_SHIFT) - 1));
}

static inline size_t work_class(struct work work)
{
    return work.word >> WORK_CLASS_SHIFT;
}

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
