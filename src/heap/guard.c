/*
 * heap/guard: blocks between pages that can't be accessed.
 *
 * The run of a block, with pages of 4 KiB:
 *
 *     guard | data ... data | guard (guard ...)
 *
 * A run is made inaccessible once, whole; then each block that it serves makes the data pages accessible, and its end takes that back. So
 * a block costs three system calls, and two mappings while it lives; the runs of freed ones are one mapping with their neighbours.
 *
 * Uses os, base. Locks: one, around the list of freed blocks; whoever has a block needs none for it.
 */
#include "heap/guard.h"

#include "base/bits.h"
#include "base/distance.h"
#include "base/lock.h"
#include "heap/large.h"
#include "heap/misuse.h"
#include "heap/recorder.h"
#include "os/memory.h"
#include "os/random.h"

#include <string.h>

enum {
    KEPT_MAX = 512,   /* freed blocks stay inaccessible while no more than so many are */
    COUNT_MAX = 4096, /* of both: each block has up to two of the 65,530 mappings that a process may have */
    PATTERN = 0xdb,   /* beside a block. Neither an address, nor a small number, nor text */
};

static struct lock lock;
static uint32_t count; /* of spans, whatever they are at the moment */
static uint32_t kept_count;
static bool is_next_at_end = true; /* in turn */
static struct span *oldest; /* of what is kept, linked by span->next */
static struct span *newest;

/* ---- where a block lies ---- */

static uintptr_t data_start(const struct span *span)
{
    return unit_start(span->first_unit) + os_page_bytes();
}

static size_t pages_for(size_t size_bytes)
{
    return round_up(size_bytes, os_page_bytes());
}

static size_t data_bytes(const struct span *span)
{
    return pages_for(span->guarded_bytes);
}

static uintptr_t data_end(const struct span *span)
{
    return data_start(span) + data_bytes(span);
}

static size_t units_for(size_t size_bytes)
{
    size_t page_bytes = os_page_bytes();
    size_t total_bytes = pages_for(size_bytes) + 2 * page_bytes;
    return round_up(total_bytes, page_bytes > UNIT_BYTES ? page_bytes : UNIT_BYTES) >> UNIT_SHIFT;
}

static size_t align_units(void)
{
    return os_page_bytes() > UNIT_BYTES ? os_page_bytes() >> UNIT_SHIFT : 1;
}

static void place(struct span *span, size_t size_bytes, size_t align_bytes, bool at_end)
{
    span->guarded_bytes = (uint32_t)size_bytes;
    span->start = at_end ? round_down(data_end(span) - span->guarded_bytes, align_bytes) : data_start(span);
    span->slot_bytes = round_up(span->guarded_bytes, BLOCK_ALIGNMENT);
}

/* ---- runs ---- */

static struct span *take_oldest(void)
{
    struct span *span = oldest;
    if (span != NULL) {
        oldest = span->next;
        kept_count--;
    }
    return span;
}

static void keep(struct span *span)
{
    span->next = NULL;
    if (oldest == NULL)
        oldest = span;
    else
        newest->next = span;
    newest = span;
    kept_count++;
}

/* Its units become those of a large block, which ends. Where the kernel refuses they stay with us. The lock is held. */
COLD static bool give_up(struct span *span)
{
    if (span->is_trapped && os_make_accessible((void *)unit_start(span->first_unit), span->unit_count << UNIT_SHIFT) != 0)
        return false;
    span->guarded_bytes = 0;
    span->is_trapped = span->is_emptied = false;
    count--;
    large_give_up(span);
    return true;
}

/* A run that nobody has, or the one that has been kept longest. NULL when there is none. The lock is held. */
static struct span *take_span(size_t unit_count)
{
    struct span *span = NULL;
    if (kept_count >= KEPT_MAX || count >= COUNT_MAX) {
        span = take_oldest();
        if (span == NULL || span->unit_count == unit_count)
            return span;
        if (!give_up(span)) {
            keep(span);
            return NULL;
        }
    }
    span = large_take_run(unit_count, align_units());
    count += span != NULL;
    return span;
}

/* The whole run can't be accessed and has no pages: from its first block on, but for the data of a block that lives. */
static bool is_closed(const struct span *span)
{
    return span->is_trapped && span->is_emptied;
}

static bool close(struct span *span)
{
    void *run = (void *)unit_start(span->first_unit);
    size_t run_bytes = span->unit_count << UNIT_SHIFT;
    span->is_emptied = os_purge(run, run_bytes) == 0;
    span->is_trapped = span->is_emptied && os_make_inaccessible(run, run_bytes) == 0;
    return is_closed(span);
}

static bool open_data(struct span *span, size_t size_bytes)
{
    if (os_make_accessible((void *)data_start(span), pages_for(size_bytes)) != 0)
        return false;
    span->is_trapped = span->is_emptied = false;
    return true;
}

/* Where the kernel refuses to protect, now and then, the heap can do without. */
COLD static void drop(struct span *span)
{
    lock_take(&lock);
    if (!give_up(span))
        keep(span);
    lock_release(&lock);
}

/* ---- blocks ---- */

static void fill_beside(const struct span *span)
{
    uintptr_t end = span->start + span->guarded_bytes;
    memset((void *)data_start(span), PATTERN, span->start - data_start(span));
    memset((void *)end, PATTERN, data_end(span) - end);
}

static struct span *make(size_t size_bytes, size_t align_bytes)
{
    lock_take(&lock);
    bool at_end = is_next_at_end;
    is_next_at_end = !at_end;
    struct span *span = take_span(units_for(size_bytes));
    lock_release(&lock);
    if (span == NULL)
        return NULL;
    if ((is_closed(span) || close(span)) && open_data(span, size_bytes)) {
        place(span, size_bytes, align_bytes, at_end);
        fill_beside(span);
        return span;
    }
    drop(span);
    return NULL;
}

COLD void *guard_allocate(struct thread_heap *heap, size_t size_bytes, size_t align_bytes)
{
    bool is_first = heap->guard_random == 0;
    if (is_first)
        heap->guard_random = os_random() | 1;
    heap->guard_left = class_rule.guard_mean > 1 ? (int64_t)distance_draw(&heap->guard_random, class_rule.guard_mean) : 1;
    if ((is_first && class_rule.guard_mean > 1) || size_bytes > GUARDED_BYTES_MAX || align_bytes > os_page_bytes())
        return NULL;
    struct span *span = make(size_bytes + (size_bytes == 0), align_bytes);
    void *block = span != NULL ? large_publish(span) : NULL;
    return heap_recorded_guarded(block, size_bytes);
}

static uintptr_t find_change(uintptr_t start, uintptr_t end)
{
    while (start < end && *(const unsigned char *)start == PATTERN)
        start++;
    return start;
}

COLD void guard_freed(const struct span *span, void *caller)
{
    heap_record_free((void *)span->start);
    uintptr_t end = span->start + span->guarded_bytes;
    uintptr_t before = find_change(data_start(span), span->start);
    uintptr_t behind = find_change(end, data_end(span));
    if (before < span->start)
        misuse_write_beside((const void *)span->start, span->guarded_bytes, (const void *)before, caller);
    else if (behind < data_end(span))
        misuse_write_beside((const void *)span->start, span->guarded_bytes, (const void *)behind, caller);
}

bool guard_protect(struct span *span)
{
    void *data = (void *)data_start(span);
    span->is_emptied = os_purge(data, data_bytes(span)) == 0;
    span->is_trapped = span->is_emptied && os_make_inaccessible(data, data_bytes(span)) == 0;
    return span->is_emptied;
}

COLD void guard_retire(struct span *span)
{
    lock_take(&lock);
    keep(span);
    lock_release(&lock);
}

COLD void guard_end(struct span *span)
{
    guard_protect(span);
    guard_retire(span);
}

COLD void guard_give_back(void)
{
    struct span *span;
    lock_take(&lock);
    for (uint32_t left = kept_count; left > 0 && (span = take_oldest()) != NULL; left--)
        if (!give_up(span))
            keep(span);
    lock_release(&lock);
}

void guard_lock(void)
{
    lock_take(&lock);
}

void guard_unlock(void)
{
    lock_release(&lock);
}

void guard_lock_reset(void)
{
    lock_reset(&lock);
}
