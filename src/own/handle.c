/*
 * own/handle: handles that know when what they mean is gone.
 *
 * An entry has a generation, which a handle must name; it is raised when the object leaves. When it has no higher one left
 * the entry is never used again: a handle can't come to mean another object. A generation of 0 is no handle's.
 *
 * Uses heap. Locks: none.
 */
#include "gcalloc/pool.h"

#include "base/compiler.h"
#include "heap/chunk.h"
#include "heap/collector.h"
#include "heap/misuse.h"
#include "own/arena.h"
#include "own/export.h"

#include <errno.h>
#include <string.h>

enum { NO_ENTRY = 0 };

struct handles {
    gca_handles shared; /* first: the program's pointer is ours */
    size_t room;        /* entries there is memory for; shared.count of them have been used. Entry 0 never is */
    size_t entries_max;
    size_t objects;
    uint32_t first_free; /* NO_ENTRY: none */
};

EXPORT gca_handles *gca_handles_new(size_t entries_max)
{
    size_t usable_bytes;
    misuse_register_chunks(own_describe);
    struct handles *table = chunk_take(sizeof *table, USE_POOL, &usable_bytes);
    if (table == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *table = (struct handles){
        .shared.entries = (gca_handle_entry *)(table + 1),
        .shared.count = 1,
        .room = (usable_bytes - sizeof *table) / sizeof(gca_handle_entry),
        .entries_max = entries_max == 0 || entries_max >= UINT32_MAX ? UINT32_MAX - 1 : entries_max,
    };
    table->shared.entries[0] = (gca_handle_entry){0};
    return &table->shared;
}

static bool is_apart(const struct handles *table)
{
    return table->shared.entries != (const gca_handle_entry *)(table + 1);
}

EXPORT void gca_handles_free(gca_handles *shared)
{
    if (shared == NULL)
        return;
    struct handles *table = (struct handles *)shared;
    if (chunk_of(table, USE_POOL) != table) {
        misuse_other("pool misuse", CALLER, "gca_handles_free(%p): no table of handles, or one that is gone", (void *)table);
        return;
    }
    if (is_apart(table))
        chunk_put(table->shared.entries);
    chunk_put(table);
}

/* The first entries lie behind the table, later all in a chunk of their own. */
COLD static bool grow(struct handles *table)
{
    size_t usable_bytes;
    gca_handle_entry *larger = chunk_take(2 * table->room * sizeof *larger, USE_POOL, &usable_bytes);
    if (larger == NULL)
        return false;
    memcpy(larger, table->shared.entries, table->shared.count * sizeof *larger);
    heap_collector_copied(larger, table->shared.count * sizeof *larger);
    if (is_apart(table))
        chunk_put(table->shared.entries);
    table->shared.entries = larger;
    heap_collector_stored(&table->shared.entries, larger);
    table->room = usable_bytes / sizeof *larger;
    return true;
}

static uint32_t take_entry(struct handles *table)
{
    uint32_t index = table->first_free;
    if (LIKELY(index != NO_ENTRY)) {
        table->first_free = table->shared.entries[index].next_free;
        return index;
    }
    if (table->shared.count > UINT32_MAX || (table->shared.count == table->room && !grow(table)))
        return NO_ENTRY;
    index = (uint32_t)table->shared.count++;
    table->shared.entries[index].generation = 1;
    return index;
}

EXPORT gca_handle gca_handle_add(gca_handles *shared, void *object)
{
    struct handles *table = (struct handles *)shared;
    uint32_t index = table->objects < table->entries_max ? take_entry(table) : NO_ENTRY;
    if (UNLIKELY(index == NO_ENTRY)) {
        errno = ENOMEM;
        return (gca_handle){0};
    }
    gca_handle_entry *entry = &shared->entries[index];
    entry->object = object;
    heap_collector_stored(&entry->object, object);
    table->objects++;
    return (gca_handle){(uint64_t)entry->generation << 32 | index};
}

EXPORT void *gca_handle_remove(gca_handles *shared, gca_handle handle)
{
    struct handles *table = (struct handles *)shared;
    void *object = gca_handle_get(shared, handle);
    if (object == NULL)
        return NULL;
    uint32_t index = (uint32_t)handle.word;
    gca_handle_entry *entry = &shared->entries[index];
    entry->object = NULL;
    entry->generation++;
    table->objects--;
    if (LIKELY(entry->generation != 0)) {
        entry->next_free = table->first_free;
        table->first_free = index;
    }
    return object;
}

EXPORT void *gca_handle_replace(gca_handles *shared, gca_handle handle, void *object)
{
    void *former = gca_handle_get(shared, handle);
    if (former == NULL)
        return NULL;
    gca_handle_entry *entry = &shared->entries[(uint32_t)handle.word];
    entry->object = object;
    heap_collector_stored(&entry->object, object);
    return former;
}

EXPORT size_t gca_handles_count(const gca_handles *shared)
{
    return ((const struct handles *)shared)->objects;
}
