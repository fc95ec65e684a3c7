/*
 * leak/healed: leaks that a collector has healed.
 *
 * Uses heap (metadata). Locks: none; the collector's own keep sweeps and reports apart.
 */
#include "leak/healed.h"

#include "heap/metadata.h"

#include <string.h>

enum { ROOM_FIRST = 256 };

static size_t bytes_for(size_t room)
{
    return sizeof(struct healed_table) + room * sizeof(struct healed_site);
}

static struct healed_site *find(struct healed_table *table, uint32_t stack, uint16_t thread)
{
    uint64_t key = (uint64_t)stack << 16 | thread;
    size_t place = (key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (table->room - 1);
    while (table->sites[place].is_used && (table->sites[place].stack != stack || table->sites[place].thread != thread))
        place = (place + 1) & (table->room - 1);
    return &table->sites[place];
}

static struct healed_table *grow(struct leak_tables *tables)
{
    struct healed_table *old = tables->healed;
    size_t room = old == NULL ? ROOM_FIRST : 2 * old->room;
    struct healed_table *table = metadata_take(bytes_for(room));
    if (table == NULL)
        return NULL;
    table->room = room;
    for (size_t i = 0; old != NULL && i < old->room; i++)
        if (old->sites[i].is_used)
            *find(table, old->sites[i].stack, old->sites[i].thread) = old->sites[i];
    table->count = old == NULL ? 0 : old->count;
    tables->healed = table;
    if (old != NULL)
        metadata_put(old, bytes_for(old->room));
    return table;
}

void healed_add(struct leak_tables *tables, const struct block_record *record, size_t slot_bytes)
{
    struct healed_table *table = tables->healed;
    if (table == NULL || 2 * table->count >= table->room)
        table = grow(tables);
    if (table == NULL)
        return;
    struct healed_site *site = find(table, record_stack(record), record->thread);
    size_t size_bytes = record_asked_bytes(record, slot_bytes);
    if (!site->is_used) {
        *site = (struct healed_site){
            .stack = record_stack(record),
            .thread = record->thread,
            .is_used = true,
            .oldest_ms = record->time_ms,
            .size_min = size_bytes,
        };
        table->count++;
    }
    site->blocks++;
    site->bytes += size_bytes;
    site->size_min = size_bytes < site->size_min ? size_bytes : site->size_min;
    site->size_max = size_bytes > site->size_max ? size_bytes : site->size_max;
    site->oldest_ms = record->time_ms < site->oldest_ms ? record->time_ms : site->oldest_ms;
    site->newest_ms = record->time_ms > site->newest_ms ? record->time_ms : site->newest_ms;
}
