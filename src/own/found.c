/*
 * own/found: words that a scan has found. Their list is metadata, which is no root.
 *
 * Uses os, heap. Locks: one, for who has the list.
 */
#include "own/found.h"

#include "base/lock.h"
#include "heap/metadata.h"
#include "os/maps.h"
#include "os/thread.h"
#include "own/self.h"
#include "own/types.h"

#include <string.h>

static struct lock found_lock;
static struct found only;
static struct found_item *items;

struct found *found_take(void)
{
    lock_take(&found_lock);
    if (items == NULL)
        items = metadata_take(FOUND_MAX * sizeof *items);
    only = (struct found){0, items != NULL ? FOUND_MAX : 0};
    return &only;
}

void found_put(struct found *found)
{
    (void)found;
    lock_release(&found_lock);
}

void found_add(struct found *found, const struct scan_place *place, uintptr_t value)
{
    if (found->count < found->capacity)
        items[found->count] = (struct found_item){*place, value};
    found->count++;
}

struct found_item *found_items(const struct found *found)
{
    (void)found;
    return items;
}

size_t found_told(const struct found *found)
{
    return found->count < found->capacity ? found->count : found->capacity;
}

/* Stacks of threads that nobody has told of are known by the name of their mapping, or by being ours. */
static bool is_stack(const void *address)
{
    struct os_mapping mapping;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (os_mapping_find((uintptr_t)address, &mapping) != 0)
        return false;
    return strcmp(mapping.name, "[stack]") == 0 || (here >= mapping.start && here < mapping.end);
}

gca_pointer found_pointer(const struct found_item *item)
{
    static const gca_where wheres[] = {GCA_WHERE_BLOCK, GCA_WHERE_ARENA, GCA_WHERE_POOL, GCA_WHERE_STACK, GCA_WHERE_STATIC};
    struct block block;
    gca_pointer pointer = {
        .where = wheres[item->place.where],
        .holder = item->place.holder,
        .offset = item->place.offset,
        .target = (const void *)item->value,
    };
    if (pointer.where == GCA_WHERE_STATIC && is_stack(pointer.holder))
        pointer.where = GCA_WHERE_STACK;
    if (pointer.where == GCA_WHERE_BLOCK && own_block(pointer.holder, &block))
        pointer.type = types_of(&block);
    return pointer;
}
