/*
 * own/visits: the objects of a trial (own/cycles.c), each with what every pass asks of it, in a growing array in metadata.
 */
#ifndef OWN_VISITS_H
#define OWN_VISITS_H

#include "base/compiler.h"
#include "heap/metadata.h"

#include "gcalloc/type.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct note;

struct visit {
    void *object;
    struct note *note;
    const gca_type *type;
};

struct visits {
    struct visit *items;
    size_t count;
    size_t room;
};

/* Items move. False when memory is short. */
static inline bool visits_grow(struct visits *visits)
{
    enum { FIRST = 64 };
    size_t room = visits->room == 0 ? FIRST : 2 * visits->room;
    struct visit *items = metadata_take(room * sizeof *items);
    if (items == NULL)
        return false;
    if (visits->count != 0)
        memcpy(items, visits->items, visits->count * sizeof *items);
    metadata_put(visits->items, visits->room * sizeof *items);
    visits->items = items;
    visits->room = room;
    return true;
}

static inline bool visits_push(struct visits *visits, struct visit visit)
{
    if (UNLIKELY(visits->count == visits->room) && !visits_grow(visits))
        return false;
    visits->items[visits->count++] = visit;
    return true;
}

static inline void visits_free(struct visits *visits)
{
    metadata_put(visits->items, visits->room * sizeof *visits->items);
    *visits = (struct visits){NULL, 0, 0};
}

#endif
