/*
 * own/suspects: a set of addresses, by open addressing with linear probing. Who is removed leaves no trace: those behind it
 * move up.
 *
 * Uses heap. Locks: none; a set is its thread's.
 */
#include "own/suspects.h"

#include "heap/metadata.h"

enum { ROOM_FIRST = 256 };

static size_t home_of(const struct suspects *set, const void *object)
{
    return (size_t)(((uintptr_t)object >> 4) * 0x9e3779b97f4a7c15u >> 32) & (set->room - 1);
}

static void put(struct suspects *set, void *object)
{
    size_t at = home_of(set, object);
    while (set->slots[at] != NULL)
        at = (at + 1) & (set->room - 1);
    set->slots[at] = object;
}

static bool grow(struct suspects *set)
{
    struct suspects old = *set;
    size_t room = old.room == 0 ? ROOM_FIRST : 2 * old.room;
    void **slots = metadata_take(room * sizeof *slots);
    if (slots == NULL)
        return false;
    set->slots = slots;
    set->room = room;
    set->cursor = 0;
    for (size_t i = 0; i < old.room; i++)
        if (old.slots[i] != NULL)
            put(set, old.slots[i]);
    metadata_put(old.slots, old.room * sizeof *old.slots);
    return true;
}

bool suspects_add(struct suspects *set, void *object)
{
    if (set->count >= set->room / 2 && !grow(set))
        return false;
    put(set, object);
    set->count++;
    return true;
}

/* Who stands behind the gap, and has it on the way from his home, moves into it. */
static void close_gap(struct suspects *set, size_t gap)
{
    size_t mask = set->room - 1;
    for (size_t at = (gap + 1) & mask; set->slots[at] != NULL; at = (at + 1) & mask) {
        size_t home = home_of(set, set->slots[at]);
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        set->slots[gap] = set->slots[at];
        gap = at;
    }
    set->slots[gap] = NULL;
    set->count--;
}

void suspects_remove(struct suspects *set, void *object)
{
    size_t at = home_of(set, object);
    while (set->slots[at] != object && set->slots[at] != NULL)
        at = (at + 1) & (set->room - 1);
    if (set->slots[at] == object)
        close_gap(set, at);
}

void *suspects_take(struct suspects *set)
{
    if (set->count == 0)
        return NULL;
    while (set->slots[set->cursor & (set->room - 1)] == NULL)
        set->cursor++;
    void *object = set->slots[set->cursor & (set->room - 1)];
    close_gap(set, set->cursor & (set->room - 1));
    return object;
}

void suspects_free(struct suspects *set)
{
    metadata_put(set->slots, set->room * sizeof *set->slots);
    set->slots = NULL;
    set->room = set->count = set->cursor = 0;
}
