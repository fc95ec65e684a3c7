/*
 * gc/finalize: functions that a program wants called when a block can't be reached any more.
 *
 * The list of those ready has room for all there are: while threads are stopped nothing can be allocated. A block that is
 * freed while it waits leaves its place there, which then leads to no finalizer.
 *
 * The order is that of Boehm ("Destructors, finalizers, and synchronization", 2003): what a block that waits leads to
 * waits longer. Cycles, which he leaves alone, are broken.
 *
 * Uses os, base, heap. Locks: the ledger's.
 */
#include "gc/finalize.h"

#include "base/compiler.h"
#include "gc/roots_tables.h"
#include "gc/weak.h"
#include "gc/white.h"
#include "heap/lookup.h"
#include "heap/metadata.h"
#include "os/thread.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

enum { ROOM_MIN = 64 };

/* The low bits of a serial. */
enum { IS_READY = 1, IS_ORDERED = 2, SERIAL_STEP = 4 };

struct candidate {
    char *inside; /* one byte behind the block's start, which might be the end of another one, too */
    uint64_t serial;
};

static void *block_of(struct candidate candidate)
{
    return candidate.inside - 1;
}

static struct candidate *list;
static size_t list_first, list_end, list_room; /* those in between are ready */
static size_t waiting_count;                   /* entries of the ledger with finalizers that are not ready */

const struct roots_words finalize_words = {(const void *const *)&list, &list_end, sizeof *list};
static uint64_t last_serial;
static _Atomic uint32_t ready_count; /* also what finalize_wait() sleeps on */
static _Atomic uint32_t waiter_count;

/* ---- setting ---- */

static int make_room(void)
{
    size_t used = list_end - list_first;
    if (list_end + waiting_count < list_room)
        return 0;
    size_t room = list_room == 0 ? ROOM_MIN : 2 * list_room;
    if (2 * (used + waiting_count) < list_room)
        room = list_room;
    struct candidate *larger = room == list_room ? list : metadata_take(room * sizeof *larger);
    if (larger == NULL)
        return -ENOMEM;
    if (used != 0)
        memmove(larger, list + list_first, used * sizeof *larger);
    if (larger != list)
        metadata_put(list, list_room * sizeof *larger);
    list = larger;
    list_first = 0;
    list_end = used;
    list_room = room;
    return 0;
}

static void count_ready(int change)
{
    atomic_fetch_add_explicit(&ready_count, (uint32_t)change, memory_order_seq_cst);
}

void finalize_forget(const struct ledger_entry *entry)
{
    if ((entry->serial & IS_READY) != 0)
        count_ready(-1);
    else
        waiting_count--;
}

static int take_back(const void *block)
{
    struct ledger_entry *entry = ledger_find_finalizer(block);
    if (entry == NULL)
        return -ENOENT;
    finalize_forget(entry);
    ledger_remove(entry);
    return 0;
}

static int set(const struct block *block, const struct ledger_entry *wanted)
{
    int result = make_room();
    struct ledger_entry *entry = ledger_find_finalizer((void *)block->start);
    if (result == 0 && entry != NULL) {
        finalize_forget(entry);
        *entry = *wanted;
    } else if (result == 0) {
        result = ledger_add(block, wanted);
    }
    waiting_count += result == 0;
    return result;
}

int finalize_set(void *block, ledger_function *function, void *data, bool is_ordered)
{
    struct block found;
    if (!heap_contains(block) || !lookup_block(block, &found) || !block_is_allocated(&found) ||
        found.start != (uintptr_t)block)
        return -EINVAL;
    ledger_lock();
    last_serial += SERIAL_STEP;
    struct ledger_entry entry = {ledger_hide(block), function, data, last_serial | (is_ordered ? IS_ORDERED : 0)};
    int result = function == NULL ? take_back(block) : set(&found, &entry);
    ledger_unlock();
    HOLD(block);
    return result;
}

/* ---- running ---- */

/* The next one's entry, taken out of the ledger. From before that the block is held by the caller's variable. */
static bool take_next(struct ledger_entry *entry_out, void *volatile *block_out)
{
    bool found = false;
    ledger_lock();
    while (!found && list_first < list_end) {
        struct ledger_entry *entry = ledger_find_finalizer(block_of(list[list_first++]));
        found = entry != NULL && (entry->serial & IS_READY) != 0;
        if (!found)
            continue;
        *entry_out = *entry;
        *block_out = ledger_reveal(entry->hidden_block);
        finalize_forget(entry);
        ledger_remove(entry);
    }
    ledger_unlock();
    return found;
}

size_t finalize_run(size_t count_max)
{
    size_t count = 0;
    struct ledger_entry entry;
    void *volatile block = NULL;
    for (; count < count_max && take_next(&entry, &block); count++)
        entry.finalizer(block, entry.data);
    return count;
}

size_t finalize_ready_count(void)
{
    return atomic_load_explicit(&ready_count, memory_order_relaxed);
}

size_t finalize_wait(uint64_t timeout_ns)
{
    uint64_t start_ns = timeout_ns == UINT64_MAX ? 0 : os_clock_ns();
    uint64_t slept_ns = 0;
    atomic_fetch_add_explicit(&waiter_count, 1, memory_order_seq_cst);
    while (atomic_load(&ready_count) == 0 && slept_ns < timeout_ns) {
        if (timeout_ns == UINT64_MAX) {
            os_futex_wait((const uint32_t *)&ready_count, 0);
            continue;
        }
        os_futex_wait_for((const uint32_t *)&ready_count, 0, timeout_ns - slept_ns);
        slept_ns = os_clock_ns() - start_ns;
    }
    atomic_fetch_sub_explicit(&waiter_count, 1, memory_order_relaxed);
    return finalize_ready_count();
}

void finalize_announce(void)
{
    if (atomic_load(&ready_count) != 0 && atomic_load(&waiter_count) != 0)
        os_futex_wake((const uint32_t *)&ready_count, INT_MAX);
}

/* ---- in a collection ---- */

static bool gather_unreached(struct ledger_entry *entry, void *context)
{
    size_t *count = context;
    void *block = ledger_reveal(entry->hidden_block);
    bool is_waiting = entry->finalizer != NULL && (entry->serial & IS_READY) == 0;
    if (is_waiting && ledger_is_unreached(block))
        list[list_end + (*count)++] = (struct candidate){(char *)block + 1, entry->serial};
    return false;
}

static void sift_down(struct candidate *heap, size_t root, size_t count)
{
    struct candidate moved = heap[root];
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && heap[child + 1].serial > heap[child].serial)
            child++;
        if (heap[child].serial <= moved.serial)
            break;
        heap[root] = heap[child];
    }
    heap[root] = moved;
}

/* Heap sort: in place, and no input makes it slow. */
static void sort_candidates(struct candidate *candidates, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift_down(candidates, i, count);
    for (size_t end = count; end-- > 1;) {
        struct candidate largest = candidates[0];
        candidates[0] = candidates[end];
        candidates[end] = largest;
        sift_down(candidates, 0, end);
    }
}

/* What the block leads to is marked; if that leads back to it, that does not count. */
static void mark_led_to(struct marker *marker, const void *block)
{
    uint8_t *white = ledger_white(block);
    if (!ledger_is_unreached(block))
        return;
    uint8_t before = *white;
    if (before == WHITE)
        mark_inside(marker, (uintptr_t)block, unit_at(block)->slot_bytes);
    white_set_back(block, white, before);
}

static void make_ready(struct marker *marker, struct candidate candidate)
{
    mark_word(marker, (uintptr_t)candidate.inside);
    ledger_find_finalizer(block_of(candidate))->serial |= IS_READY;
    list[list_end++] = candidate;
    waiting_count--;
    count_ready(1);
}

/* The candidates lie behind the list's end; those that are ready move up to it. */
static void choose(struct marker *marker, size_t count)
{
    struct candidate *candidates = list + list_end;
    for (size_t i = 0; i < count; i++)
        if ((candidates[i].serial & IS_ORDERED) == 0)
            mark_word(marker, (uintptr_t)candidates[i].inside);
    mark_drain(marker);
    for (size_t i = 0; i < count; i++)
        if ((candidates[i].serial & IS_ORDERED) != 0)
            mark_led_to(marker, block_of(candidates[i]));
    for (size_t i = 0; i < count; i++)
        if ((candidates[i].serial & IS_ORDERED) == 0 || ledger_is_unreached(block_of(candidates[i])))
            make_ready(marker, candidates[i]);
    mark_drain(marker);
}

void finalize_after_mark(struct marker *marker)
{
    size_t count = 0;
    weak_clear_unreached();
    ledger_each(gather_unreached, &count);
    if (count != 0) {
        sort_candidates(list + list_end, count);
        choose(marker, count);
    }
    weak_forget_unreached();
}

void finalize_scan(roots_range *range, void *context)
{
    ledger_scan(range, context);
    if (list_first < list_end)
        range(list + list_first, list + list_end, 8, context);
}
