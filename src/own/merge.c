/*
 * own/merge: what one thread has counted meets what the others have.
 *
 * Jiho Choi, Thomas Shull, Josep Torrellas: "Biased reference counting" (2018). The holder of an object counts in note->strong,
 * alone and without atomics; all others in note->others. Whoever takes `others` below zero, by releasing a reference that the
 * holder took, sets OTHERS_QUEUED, and the holder adds the two up when it next comes by; if its thread has ended, that one does it
 * at once. While an object is queued nobody ends it but who merges it.
 *
 * Uses base, heap. Locks: own_lock.
 */
#include "base/image.h"
#include "heap/metadata.h"
#include "own/export.h"
#include "own/self.h"

#include "gcalloc/shared.h"

enum { RECORDS_IN_CHUNK = 4096, CHUNKS_MAX = (HOLDER_THREAD + 1) / RECORDS_IN_CHUNK };

static struct merge_record **chunks;
static uint32_t last_number;

static struct merge_record *record_of(uint32_t number)
{
    return &chunks[number / RECORDS_IN_CHUNK][number % RECORDS_IN_CHUNK];
}

static bool make_room(uint32_t number)
{
    if (chunks == NULL)
        chunks = metadata_take(CHUNKS_MAX * sizeof *chunks);
    if (chunks == NULL || number > HOLDER_THREAD)
        return false;
    struct merge_record **chunk = &chunks[number / RECORDS_IN_CHUNK];
    if (*chunk == NULL)
        *chunk = metadata_take(RECORDS_IN_CHUNK * sizeof **chunk);
    return *chunk != NULL;
}

COLD uint32_t merge_number(void)
{
    if (own_self.thread != 0)
        return own_self.thread;
    own_need_exit();
    lock_take(&own_lock);
    if (make_room(last_number + 1)) {
        own_self.thread = ++last_number;
        gca_self_1.holder = own_self.thread;
        own_see_heap();
        own_self.record = record_of(own_self.thread);
        own_self.record->is_alive = true;
        own_self.record->forks = image_now->fork_count;
    }
    lock_release(&own_lock);
    return own_self.thread;
}

static bool is_alive(uint32_t number, const struct merge_record *record)
{
    return record->is_alive && (record->forks == image_now->fork_count || number == own_self.thread);
}

/* The caller may: the object is queued, and held by this thread or by one that has ended. True: it is to end. */
static bool merge(void *object, struct note *note)
{
    if (note_has(note, HOLDER_SUSPECT) && note_thread(note) == own_self.thread)
        cycles_forget(object, note);
    uint32_t strong = atomic_load_explicit(&note->strong, memory_order_relaxed);
    atomic_store_explicit(&note->strong, 0, memory_order_relaxed);
    if (!note_has(note, HOLDER_BOUND))
        note_unset(note, HOLDER_THREAD);
    int32_t old = atomic_load_explicit(&note->others, memory_order_relaxed);
    int32_t sum;
    do
        sum = ((old + (int32_t)(strong * OTHERS_ONE)) | OTHERS_MERGED) & ~OTHERS_QUEUED;
    while (!atomic_compare_exchange_weak_explicit(&note->others, &old, sum, memory_order_acq_rel, memory_order_relaxed));
    return sum < OTHERS_ONE;
}

bool merge_later(void *object, struct note *note)
{
    uint32_t number = note_thread(note);
    lock_take(&own_lock);
    struct merge_record *record = number != 0 ? record_of(number) : NULL;
    bool waits = record != NULL && is_alive(number, record);
    if (waits && pile_push(&record->waiting, object))
        atomic_store_explicit(&record->has_waiting, true, memory_order_release);
    lock_release(&own_lock);
    return !waits && merge(object, note); /* without memory for the list it waits for ever */
}

static struct pile take_waiting(bool is_last)
{
    lock_take(&own_lock);
    struct pile waiting = own_self.record->waiting;
    own_self.record->waiting = (struct pile){0};
    atomic_store_explicit(&own_self.record->has_waiting, false, memory_order_relaxed);
    if (is_last)
        own_self.record->is_alive = false;
    lock_release(&own_lock);
    return waiting;
}

static size_t merge_all(bool is_last)
{
    struct pile waiting = take_waiting(is_last);
    size_t count = waiting.count;
    for (size_t i = 0; i < count; i++)
        if (merge(waiting.items[i], own_note(waiting.items[i])))
            own_end(waiting.items[i]);
    pile_free(&waiting);
    return count;
}

COLD size_t merge_own(void)
{
    return merge_waits() ? merge_all(false) : 0;
}

/* Drop functions that still run in this thread begin anew, with another number. */
void merge_thread_exit(void)
{
    if (own_self.record == NULL)
        return;
    merge_all(true);
    own_self.thread = 0;
    gca_self_1.holder = UINT32_MAX;
    gca_self_1.limit_bytes = 0;
    own_self.record = NULL;
}

EXPORT size_t gca_merge(void)
{
    return merge_own();
}
