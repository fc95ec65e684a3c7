/*
 * own/pile: a growing array of addresses, in metadata.
 *
 * Uses base, heap. Locks: none.
 */
#include "own/pile.h"

#include "base/compiler.h"
#include "heap/metadata.h"

#include <string.h>

enum { PILE_FIRST = 64 };

COLD bool pile_grow(struct pile *pile)
{
    size_t room = pile->room == 0 ? PILE_FIRST : 2 * pile->room;
    void **items = metadata_take(room * sizeof *items);
    if (items == NULL)
        return false;
    if (pile->count != 0)
        memcpy(items, pile->items, pile->count * sizeof *items);
    metadata_put(pile->items, pile->room * sizeof *items);
    pile->items = items;
    pile->room = room;
    return true;
}

bool pile_reserve(struct pile *pile, size_t count)
{
    while (pile->room - pile->count < count)
        if (!pile_grow(pile))
            return false;
    return true;
}

bool pile_push(struct pile *pile, void *item)
{
    if (UNLIKELY(pile->count == pile->room) && !pile_grow(pile))
        return false;
    pile->items[pile->count++] = item;
    return true;
}

void pile_free(struct pile *pile)
{
    metadata_put(pile->items, pile->room * sizeof *pile->items);
    *pile = (struct pile){0};
}
