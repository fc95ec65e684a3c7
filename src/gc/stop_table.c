/*
 * gc/stop_table: the threads that a stop has to do with, found by their id.
 *
 * An array, and a table of indices into it with linear probing. Indices are only added between two clearings, so a reader
 * that races with the writer finds an entry or does not, and one that races with a clearing belongs to an older stop.
 *
 * Locks: none.
 */
#include "gc/stop_table.h"

#include "gc/stop.h"
#include "gc/threads.h"
#include "os/memory.h"

#include <errno.h>
#include <string.h>

enum { FIRST_CAPACITY = 128, INDEX_LIMIT = THREADS_MAX * 2 };

static struct stop_entry *entries;
static struct stopped *publics;
static _Atomic uint32_t *indices; /* of an entry, plus 1 */
static size_t capacity;
static size_t count;
static bool was_full;
static size_t index_mask; /* the table of indices has twice the capacity */

static size_t whole_pages(size_t size_bytes)
{
    size_t page_bytes = os_page_bytes();
    return (size_bytes + page_bytes - 1) & ~(page_bytes - 1);
}

/* Commits all three arrays up to a capacity. What is committed again stays as it is. */
static bool make_room(size_t wanted)
{
    if (os_commit(entries, whole_pages(wanted * sizeof *entries)) != 0 ||
        os_commit(publics, whole_pages(wanted * sizeof *publics)) != 0 ||
        os_commit((void *)indices, whole_pages(wanted * 2 * sizeof *indices)) != 0)
        return false;
    capacity = wanted;
    index_mask = wanted * 2 - 1;
    return true;
}

int stop_table_start(void)
{
    size_t entry_bytes = whole_pages(THREADS_MAX * sizeof *entries);
    size_t public_bytes = whole_pages(THREADS_MAX * sizeof *publics);
    size_t index_bytes = whole_pages(INDEX_LIMIT * sizeof *indices);
    void *start;
    if (os_reserve(entry_bytes + public_bytes + index_bytes, os_page_bytes(), &start) != 0)
        return -ENOMEM;
    entries = start;
    publics = (struct stopped *)((uintptr_t)start + entry_bytes);
    indices = (_Atomic uint32_t *)((uintptr_t)start + entry_bytes + public_bytes);
    return make_room(FIRST_CAPACITY) ? 0 : -ENOMEM;
}

void stop_table_clear(void)
{
    if (was_full && capacity < THREADS_MAX)
        make_room(capacity * 2);
    was_full = false;
    count = 0;
    for (size_t i = 0; i <= index_mask; i++)
        atomic_store_explicit(&indices[i], 0, memory_order_relaxed);
}

static size_t first_place(int32_t thread_id)
{
    return (uint32_t)thread_id * 2654435761u >> 7;
}

struct stop_entry *stop_table_add(int32_t thread_id)
{
    if (count == capacity) {
        was_full = true;
        return NULL;
    }
    size_t place = first_place(thread_id);
    while (atomic_load_explicit(&indices[place & index_mask], memory_order_relaxed) != 0)
        place++;
    struct stop_entry *entry = &entries[count];
    memset(entry, 0, sizeof *entry);
    memset(&publics[count], 0, sizeof *publics);
    entry->thread_id = thread_id;
    publics[count].thread_id = thread_id;
    count++;
    atomic_store_explicit(&indices[place & index_mask], (uint32_t)count, memory_order_release);
    return entry;
}

struct stop_entry *stop_table_find(int32_t thread_id)
{
    size_t mask = index_mask;
    size_t place = first_place(thread_id);
    for (size_t i = 0; i <= mask; i++, place++) {
        uint32_t index = atomic_load_explicit(&indices[place & mask], memory_order_acquire);
        if (index == 0)
            return NULL;
        if (entries[index - 1].thread_id == thread_id)
            return &entries[index - 1];
    }
    return NULL;
}

struct stopped *stop_table_public(const struct stop_entry *entry)
{
    return &publics[entry - entries];
}

struct stop_entry *stop_table_entries(void)
{
    return entries;
}

size_t stop_table_count(void)
{
    return count;
}

size_t stop_table_settle(void)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t state = entries[i].state;
        if (state != STOP_GONE && state != STOP_EMPTY)
            publics[left++] = publics[i];
    }
    return left;
}

const struct stopped *stop_table_settled(void)
{
    return publics;
}
