/*
 * gc/sweep: frees what was not marked, through the heap's own functions, while other threads run.
 *
 * White bytes say what was there when the cycle began. A span or a slot may have been freed since, and be something else now:
 * under the lock of its owner a span is compared with what it was, and a slot's state is exchanged only if it is allocated
 * and no block of the cycle's own time.
 *
 * Uses os, base, heap. Locks: that of each span's owner in turn; large blocks are freed as free() does it.
 */
#include "gc/sweep.h"

#include "base/bits.h"
#include "base/bytes.h"
#include "base/image.h"
#include "base/lock.h"
#include "base/options.h"
#include "gc/white.h"
#include "heap/buffer.h"
#include "heap/large.h"
#include "heap/recorder.h"
#include "heap/span.h"
#include "heap/thread.h"

#include <string.h>

enum { SLOTS_MAX = 1024, WORDS_MAX = SLOTS_MAX / WORD_BITS };

/* No address, no small number, no text. */
enum { SHADOW_BYTE = 0xdb };

/*
 * Instead of freeing: nobody gets the slot again. A later free() or realloc() finds it free and reports that; who follows
 * a pointer in it faults.
 */
static uint32_t shadow_slots(struct span *span, const uint64_t *garbage)
{
    uint32_t total = 0;
    for (size_t word = 0; word < words_for(span->slot_count); word++) {
        for (uint64_t bits = garbage[word]; bits != 0; bits &= bits - 1) {
            size_t index = word * WORD_BITS + bit_lowest(bits);
            if (!slot_state_reclaim(&span->states[index], image_now->birth))
                continue;
            if (heap_recorder != NULL)
                heap_recorder->reclaimed(span, index);
            memset((void *)span_slot(span, index), SHADOW_BYTE, span->slot_bytes);
            total++;
        }
    }
    return total;
}

/* The lock of the span's owner, or NULL: the span has gone since the cycle began, perhaps in favour of another. */
static struct thread_heap *lock_owner(const struct white_span *span)
{
    struct unit *unit = &heap_layout.units[span->first_unit];
    for (;;) {
        struct thread_heap *owner = atomic_load_explicit(&unit->owner, memory_order_acquire);
        if (owner == NULL)
            return NULL;
        lock_take(&owner->lock);
        bool is_owner = atomic_load_explicit(&unit->owner, memory_order_relaxed) == owner;
        if (is_owner && unit->states == white_state(span->white) && unit->class_index == span->class_index)
            return owner;
        lock_release(&owner->lock);
        if (is_owner)
            return NULL;
    }
}

static uint32_t free_slots(const struct white_span *span, const uint64_t *garbage)
{
    struct thread_heap *owner = lock_owner(span);
    if (owner == NULL)
        return 0;
    struct span *now = heap_layout.units[span->first_unit].span;
    uint32_t freed = options_now()->shadow ? shadow_slots(now, garbage) : buffer_reclaim(now, garbage, image_now->birth);
    lock_release(&owner->lock);
    return freed;
}

static void sweep_slots(const struct white_span *span, struct sweep_result *result)
{
    uint64_t garbage[WORDS_MAX];
    uint64_t any = 0;
    uint64_t live = span->slot_count;
    for (size_t word = 0; word < words_for(span->slot_count); word++) {
        size_t count = span->slot_count - word * WORD_BITS;
        const uint8_t *white = span->white + word * WORD_BITS;
        garbage[word] = bytes_with(white, count, WHITE | WHITE_LEAF);
        live -= bit_count(garbage[word]) + bit_count(bytes_with(white, count, WHITE_FREE));
        any |= garbage[word];
    }
    uint32_t freed = any != 0 ? free_slots(span, garbage) : 0;
    result->freed_blocks += freed;
    result->freed_bytes += freed * span->slot_bytes;
    result->live_blocks += live;
    result->live_bytes += live * span->slot_bytes;
}

static bool shadow_large(struct unit *unit)
{
    if (!slot_state_reclaim((uint8_t *)&unit->large_state, image_now->birth))
        return false;
    memset((void *)unit->start, SHADOW_BYTE, unit->slot_bytes);
    return true;
}

/* A block of another birth that is here now was here when the cycle began. */
static bool free_large(const struct white_span *span)
{
    struct unit *unit = &heap_layout.units[span->first_unit];
    if (unit->kind != UNIT_LARGE || unit->start != span->start)
        return false;
    uint8_t state = atomic_load_explicit(&unit->large_state, memory_order_relaxed);
    if (heap_recorder != NULL && slot_is_reclaimable(state, image_now->birth))
        heap_recorder->reclaimed(unit->span, 0); /* its record goes with it */
    return options_now()->shadow ? shadow_large(unit) : large_reclaim(unit, image_now->birth);
}

static void sweep_large(const struct white_span *span, struct sweep_result *result)
{
    uint8_t white = *span->white;
    if (white == BLACK) {
        result->live_blocks++;
        result->live_bytes += span->slot_bytes;
    } else if (white != WHITE_FREE && free_large(span)) {
        result->freed_blocks++;
        result->freed_bytes += span->slot_bytes;
    }
}

size_t sweep_some(size_t from_unit, size_t unit_count, struct sweep_result *result)
{
    struct white_span span;
    size_t limit = from_unit + unit_count;
    for (size_t unit = from_unit; white_span_from(unit, &span); unit = span.first_unit + span.unit_count) {
        if (span.first_unit >= limit)
            return span.first_unit;
        if (span.is_large)
            sweep_large(&span, result);
        else
            sweep_slots(&span, result);
    }
    return SIZE_MAX;
}

void sweep_all(struct sweep_result *result_out)
{
    *result_out = (struct sweep_result){0};
    sweep_some(0, SIZE_MAX, result_out);
}
