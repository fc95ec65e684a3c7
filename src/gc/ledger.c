/*
 * gc/ledger: what is to be known of single blocks.
 *
 * Linear probing; a block has as many entries as there are weak references to it, and one for its finalizer.
 *
 * Uses base, heap. Locks: one of its own, then the metadata lock.
 */
#include "gc/ledger.h"

#include "base/image.h"
#include "base/lock.h"
#include "gc/finalize.h"
#include "gc/roots_tables.h"
#include "gc/weak.h"
#include "gc/white.h"
#include "heap/lookup.h"
#include "heap/metadata.h"
#include "heap/note.h"

#include <errno.h>

enum { ROOM_MIN = 64 };

static struct lock table_lock;
static struct ledger_entry *entries;
static size_t entry_count, room; /* room is a power of two, at most half full */

const struct roots_words ledger_words = {(const void *const *)&entries, &room, sizeof *entries};

void ledger_lock(void)
{
    lock_take(&table_lock);
}

void ledger_unlock(void)
{
    lock_release(&table_lock);
}

void ledger_lock_reset(void)
{
    lock_reset(&table_lock);
}

static size_t home_of(uintptr_t hidden_block)
{
    return (~hidden_block * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (room - 1);
}

static struct ledger_entry *next_of(struct ledger_entry *entry)
{
    return &entries[((size_t)(entry - entries) + 1) & (room - 1)];
}

static void put(const struct ledger_entry *entry)
{
    struct ledger_entry *place = &entries[home_of(entry->hidden_block)];
    while (place->hidden_block != 0)
        place = next_of(place);
    *place = *entry;
}

static int grow(void)
{
    struct ledger_entry *old = entries;
    size_t old_room = room, new_room = room == 0 ? ROOM_MIN : 2 * room;
    struct ledger_entry *larger = metadata_take(new_room * sizeof *larger);
    if (larger == NULL)
        return -ENOMEM;
    image_now->roots = &roots_tables;
    entries = larger;
    room = new_room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i].hidden_block != 0)
            put(&old[i]);
    metadata_put(old, old_room * sizeof *old);
    return 0;
}

/* Closes the gap: those behind it move up unless that would take them before their home. */
void ledger_remove(struct ledger_entry *entry)
{
    size_t mask = room - 1;
    size_t gap = (size_t)(entry - entries);
    for (size_t next = (gap + 1) & mask; entries[next].hidden_block != 0; next = (next + 1) & mask)
        if (((next - home_of(entries[next].hidden_block)) & mask) >= ((next - gap) & mask)) {
            entries[gap] = entries[next];
            gap = next;
        }
    entries[gap] = (struct ledger_entry){0};
    entry_count--;
}

struct ledger_entry *ledger_find_finalizer(const void *block)
{
    if (room == 0)
        return NULL;
    uintptr_t hidden = ledger_hide(block);
    for (struct ledger_entry *entry = &entries[home_of(hidden)]; entry->hidden_block != 0; entry = next_of(entry))
        if (entry->hidden_block == hidden && entry->finalizer != NULL)
            return entry;
    return NULL;
}

/* As long as the home and those behind it hold one of the block's: each removal may bring another to its place. */
static void remove_all(const void *block)
{
    uintptr_t hidden = ledger_hide(block);
    struct ledger_entry *entry = &entries[home_of(hidden)];
    while (entry->hidden_block != 0) {
        if (entry->hidden_block != hidden) {
            entry = next_of(entry);
            continue;
        }
        if (entry->finalizer == NULL)
            weak_clear(ledger_reveal((uintptr_t)entry->data));
        else
            finalize_forget(entry);
        ledger_remove(entry);
    }
}

/* The block may also be a weak reference itself: if what it holds leads to an entry that leads back to it. */
static void remove_reference(const void *block)
{
    uintptr_t hidden = weak_hidden_block(block);
    if (hidden == 0)
        return;
    for (struct ledger_entry *entry = &entries[home_of(hidden)]; entry->hidden_block != 0; entry = next_of(entry))
        if (entry->hidden_block == hidden && entry->finalizer == NULL && (uintptr_t)entry->data == ledger_hide(block)) {
            ledger_remove(entry);
            return;
        }
}

static void on_freed(void *block)
{
    ledger_lock();
    if (entry_count != 0) {
        remove_all(block);
        remove_reference(block);
    }
    ledger_unlock();
}

void ledger_watch(const struct block *block)
{
    atomic_store_explicit(&heap_note_watcher, on_freed, memory_order_release);
    note_watch(block);
}

int ledger_add(const struct block *block, const struct ledger_entry *entry)
{
    if (2 * entry_count >= room && grow() != 0)
        return -ENOMEM;
    ledger_watch(block);
    put(entry);
    entry_count++;
    return 0;
}

void ledger_each(bool (*visit)(struct ledger_entry *entry, void *context), void *context)
{
    for (size_t i = 0; entry_count != 0 && i < room; i++)
        while (entries[i].hidden_block != 0 && visit(&entries[i], context))
            ledger_remove(&entries[i]);
}

void ledger_scan(roots_range *range, void *context)
{
    if (entry_count != 0)
        range(entries, entries + room, 8, context);
}

/* A block of the cycle's own time has none, though one that had its place before may have. */
uint8_t *ledger_white(const void *block)
{
    const struct unit *unit = unit_at(block);
    struct white_span span;
    uint8_t state;
    if (!lookup_start(block, &state) || !slot_is_reclaimable(state, image_now->birth) ||
        !white_span_of((size_t)(unit - heap_layout.units), &span))
        return NULL;
    return span.white + ((uintptr_t)block - span.start) / span.slot_bytes;
}

bool ledger_is_unreached(const void *block)
{
    const uint8_t *white = ledger_white(block);
    return white != NULL && (*white & (WHITE | WHITE_LEAF)) != 0;
}
