/* gc/parts: a list of address ranges in memory of its own, which no lock guards and no scan reads. */
#ifndef GC_PARTS_H
#define GC_PARTS_H

#include "gc/roots.h"

#include <stddef.h>
#include <stdint.h>

struct parts {
    struct roots_part *list;
    size_t count;
    size_t size_bytes;
};

/* Room for so many. May move the list. Returns 0 or -ENOMEM. */
int parts_reserve(struct parts *parts, size_t count);

/* There is room. */
void parts_add(struct parts *parts, uintptr_t start, uintptr_t end);

/* By their starts. */
void parts_sort(struct parts *parts);

static inline size_t parts_room(const struct parts *parts)
{
    return parts->size_bytes / sizeof(struct roots_part);
}

#endif
