/*
 * leak/ended: stacks of threads that have ended.
 *
 * A stack that libc keeps still has the thread's control block at its top, with its own address in it; one that was
 * unmapped has not, whatever lies there now. A new thread that gets the stack has its stack pointer there. So an entry
 * that is out of date does no harm.
 *
 * Uses os, heap (metadata), gc. Locks: one, around the table.
 */
#include "leak/ended.h"

#include "base/lock.h"
#include "gc/roots.h"
#include "gc/stop.h"
#include "heap/metadata.h"
#include "leak/record.h"
#include "os/peek.h"
#include "os/process.h"
#include "os/registers.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { ENTRIES_FIRST = 64 };

enum ended_state { LIVES, ENDED, JOINED };

struct entry {
    uintptr_t thread; /* its control block; 0: nothing here */
    uintptr_t start;
    uintptr_t end;
    _Atomic uint32_t state;
    bool is_hidden;
};

static struct lock table_lock;
static struct entry *entries; /* a hash table, at most half full */
static size_t entry_room;     /* a power of two */
static size_t entry_count;
static pthread_key_t end_key;
static bool is_on;

static struct entry *find(uintptr_t thread)
{
    size_t place = (thread * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (entry_room - 1);
    while (entries[place].thread != 0 && entries[place].thread != thread)
        place = (place + 1) & (entry_room - 1);
    return &entries[place];
}

static bool make_room(void)
{
    if (2 * entry_count < entry_room)
        return true;
    size_t room = entry_room == 0 ? ENTRIES_FIRST : 2 * entry_room;
    struct entry *larger = metadata_take(room * sizeof *larger);
    if (larger == NULL)
        return false;
    struct entry *old = entries;
    size_t old_room = entry_room;
    entries = larger;
    entry_room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i].thread != 0)
            memcpy(find(old[i].thread), &old[i], sizeof old[i]);
    metadata_put(old, old_room * sizeof *old);
    return true;
}

static void set_state(uintptr_t thread, enum ended_state state)
{
    lock_take(&table_lock);
    if (entry_room != 0 && find(thread)->thread == thread)
        find(thread)->state = state;
    lock_release(&table_lock);
}

void ended_watch(uintptr_t stack_start, uintptr_t stack_end)
{
    uintptr_t thread = os_thread_pointer();
    if (!is_on || thread <= stack_start || thread >= stack_end)
        return;
    lock_take(&table_lock);
    if (make_room()) {
        struct entry *entry = find(thread);
        entry_count += entry->thread == 0;
        *entry = (struct entry){.thread = thread, .start = stack_start, .end = stack_end, .state = LIVES};
    }
    lock_release(&table_lock);
    pthread_setspecific(end_key, (void *)thread);
}

static void on_end(void *thread)
{
    record_thread_ends();
    set_state((uintptr_t)thread, ENDED);
}

void ended_joined(uintptr_t thread)
{
    if (is_on)
        set_state(thread, JOINED);
}

/* In the child of a fork the other threads are gone, and their stacks as they were. */
static void after_fork_in_child(void)
{
    lock_reset(&table_lock);
    uintptr_t self = os_thread_pointer();
    for (size_t i = 0; i < entry_room; i++)
        if (entries[i].thread != 0 && entries[i].thread != self)
            entries[i].state = JOINED;
}

int ended_start(void)
{
    int result = pthread_key_create(&end_key, on_end);
    if (result == 0)
        result = os_at_fork(after_fork_in_child);
    is_on = result == 0;
    return -result;
}

/* ---- what is no root ---- */

static bool is_in_use(const struct entry *entry, const struct stopped *threads, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (threads[i].stack_pointer >= entry->start && threads[i].stack_pointer < entry->end)
            return true;
    return false;
}

void ended_hide(const struct stopped *threads, size_t count)
{
    struct os_peek peek = {0};
    for (size_t i = 0; i < entry_room; i++) {
        struct entry *entry = &entries[i];
        uintptr_t head[OS_THREAD_BLOCK_WORDS];
        if (entry->thread == 0 || entry->state == LIVES || is_in_use(entry, threads, count) ||
            os_peek(&peek, entry->thread, head, sizeof head, false) != (long)sizeof head ||
            !os_thread_block_is(entry->thread, head))
            continue;
        uintptr_t end = entry->state == JOINED ? entry->end : entry->thread;
        entry->is_hidden = roots_hide((const void *)entry->start, end - entry->start) == 0;
    }
    os_peek_close(&peek);
}

void ended_unhide(void)
{
    for (size_t i = 0; i < entry_room; i++)
        if (entries[i].is_hidden) {
            roots_unhide((const void *)entries[i].start);
            entries[i].is_hidden = false;
        }
}
