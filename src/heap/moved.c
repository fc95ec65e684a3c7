/*
 * heap/moved: a bit for each unit.
 *
 * Invariant: of each piece all units are marked but the last, so two that lie side by side stay apart, and there are as many pieces
 * as stretches of marked units. (What is left of a piece when all but its last unit were renewed is marked nowhere, and costs
 * what it costs; pieces have many units.)
 *
 * Uses base. Locks: the run lock, which others hold.
 */
#include "heap/moved.h"

#include "base/bits.h"
#include "base/image.h"
#include "heap/layout.h"

#include <stdatomic.h>
#include <stdint.h>

static _Atomic size_t pieces;

static size_t stretches(const uint64_t *map, size_t from, size_t limit)
{
    size_t count = 0;
    while ((from = bitmap_find(map, from, limit, true)) < limit) {
        count++;
        from = bitmap_find(map, from, limit, false);
    }
    return count;
}

/* What a change of [first, end) joins or parts is seen from the units beside it. */
static void fill(size_t first, size_t end, bool value)
{
    uint64_t *map = layout_unit_maps()->moved;
    size_t used = atomic_load_explicit(&image_now->units_used, memory_order_relaxed);
    size_t from = first - (first > 0);
    size_t limit = end < used ? end + 1 : end;
    size_t before = stretches(map, from, limit);
    bitmap_fill(map, first, end - first, value);
    size_t after = stretches(map, from, limit);
    atomic_fetch_add_explicit(&pieces, after - before, memory_order_relaxed);
}

/* A marked unit goes on in the next one. */
static bool goes_on_into(size_t first)
{
    return first > 0 && bitmap_get(layout_unit_maps()->moved, first - 1);
}

void moved_clear(size_t first, size_t count)
{
    if (moved_any(first, count))
        fill(first - goes_on_into(first), first + count, false); /* the unit before is the last of its piece now */
}

void moved_set(size_t first, size_t count)
{
    moved_clear(first, count);
    if (count > 1)
        fill(first, first + count - 1, true);
}

bool moved_any(size_t first, size_t count)
{
    return goes_on_into(first) || bitmap_find(layout_unit_maps()->moved, first, first + count, true) != first + count;
}

size_t moved_count(void)
{
    return atomic_load_explicit(&pieces, memory_order_relaxed);
}
