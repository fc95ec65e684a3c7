/*
 * gc/parts: a list of address ranges.
 *
 * Locks: none.
 */
#include "gc/parts.h"

#include "base/bits.h"
#include "base/invariant.h"
#include "os/memory.h"

int parts_reserve(struct parts *parts, size_t count)
{
    if (count <= parts_room(parts))
        return 0;
    size_t wanted_bytes = round_up(2 * count * sizeof(struct roots_part), os_page_bytes());
    void *list = parts->list;
    int result = os_working_area(&list, parts->size_bytes, wanted_bytes);
    if (result != 0)
        return result;
    parts->list = list;
    parts->size_bytes = wanted_bytes;
    return 0;
}

void parts_add(struct parts *parts, uintptr_t start, uintptr_t end)
{
    INVARIANT(parts->count < parts_room(parts));
    parts->list[parts->count++] = (struct roots_part){start, end};
}

/* Shell's sort: nearly as fast as any for the few that there are, whatever their order, and no recursion. */
void parts_sort(struct parts *parts)
{
    for (size_t gap = parts->count / 2; gap > 0; gap /= 2)
        for (size_t i = gap; i < parts->count; i++) {
            struct roots_part part = parts->list[i];
            size_t to = i;
            for (; to >= gap && parts->list[to - gap].start > part.start; to -= gap)
                parts->list[to] = parts->list[to - gap];
            parts->list[to] = part;
        }
}
