/*
 * gc/sweep: frees what was not marked, through the heap's own functions.
 *
 * Uses os, base, heap. Locks: that of each span's owner in turn; large blocks are freed as free() does it.
 */
#include "gc/sweep.h"

#include "base/bits.h"
#include "base/lock.h"
#include "base/options.h"
#include "gc/white.h"
#include "heap/buffer.h"
#include "heap/large.h"
#include "heap/runs.h"
#include "heap/span.h"
#include "heap/thread.h"
#include "os/match.h"

#include <string.h>

enum { SLOTS_MAX = 1024, WORDS_MAX = SLOTS_MAX / WORD_BITS };

/* 64 white bytes, those that have a bit of `any`; behind the last slot's there may be anything. */
static uint64_t whites_of_word(const uint8_t *white, size_t count, uint8_t any)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < WORD_BITS; i += 16)
        bits |= (uint64_t)os_bytes_with_16(white + i, any) << i;
    return count >= WORD_BITS ? bits : bits & word_mask(0, (uint32_t)count);
}

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
            memset((void *)span_slot(span, index), SHADOW_BYTE, span->slot_bytes);
            slot_state_set(&span->states[index], SLOT_FREE);
            total++;
        }
    }
    return total;
}

static void shadow_large(struct span *span)
{
    memset((void *)span->start, SHADOW_BYTE, span->slot_bytes);
    atomic_store_explicit(&heap_layout.units[span->first_unit].large_state, SLOT_FREE, memory_order_relaxed);
}

static void sweep_span(struct span *span, struct sweep_result *result)
{
    uint64_t garbage[WORDS_MAX];
    const uint8_t *white = white_of(span->states);
    uint64_t any = 0;
    uint64_t free_count = 0;
    for (size_t word = 0; word < words_for(span->slot_count); word++) {
        size_t count = span->slot_count - word * WORD_BITS;
        garbage[word] = whites_of_word(white + word * WORD_BITS, count, WHITE | WHITE_LEAF);
        free_count += bit_count(whites_of_word(white + word * WORD_BITS, count, WHITE_FREE));
        any |= garbage[word];
    }
    size_t slot_bytes = span->slot_bytes;
    uint64_t live = span->slot_count - free_count;
    if (any != 0) {
        struct thread_heap *owner = span->owner;
        lock_take(&owner->lock);
        uint32_t freed = options_now()->shadow ? shadow_slots(span, garbage) : buffer_reclaim(span, garbage);
        lock_release(&owner->lock);
        live -= freed;
        result->freed_blocks += freed;
        result->freed_bytes += freed * slot_bytes;
    }
    result->live_blocks += live;
    result->live_bytes += live * slot_bytes;
}

static void sweep_large(struct span *span, struct sweep_result *result)
{
    uint8_t white = *white_of(span);
    if (white == WHITE_FREE)
        return;
    if (white == BLACK) {
        result->live_blocks++;
        result->live_bytes += span->slot_bytes;
        return;
    }
    result->freed_blocks++;
    result->freed_bytes += span->slot_bytes;
    if (options_now()->shadow)
        shadow_large(span);
    else
        large_release(NULL, (void *)span->start);
}

/* A span may be gone when it has been swept: where the next one begins is read before. */
void sweep_all(struct sweep_result *result_out)
{
    *result_out = (struct sweep_result){0};
    size_t next;
    for (struct span *span = span_from(0); span != NULL; span = span_from(next)) {
        next = span->first_unit + span->unit_count;
        if (span_is_large(span))
            sweep_large(span, result_out);
        else
            sweep_span(span, result_out);
    }
}
