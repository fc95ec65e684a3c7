/*
 * gc/check: whether marking has missed anything, beside the program or from old blocks.
 *
 * Blocks of the cycle's own time count as far as anything was ever written to their pages: what else is in them was there before
 * they were, and means nothing.
 *
 * Uses os, base, heap. Locks: none of its own.
 */
#include "gc/check.h"

#include "base/compiler.h"
#include "base/image.h"
#include "base/message.h"
#include "gc/dirty.h"
#include "gc/mark.h"
#include "gc/roots.h"
#include "gc/white.h"
#include "os/thread.h"

#include <string.h>

static struct marker marker;

static void mark_root(const void *start, const void *end, unsigned step_bytes, void *context)
{
    (void)context;
    mark_range(&marker, start, end, step_bytes);
    mark_drain(&marker);
}

/* What the first marking left white, the second has reached, and is no block of the cycle's own time. */
static bool is_missed(const uint8_t *first, uint8_t state)
{
    uint8_t *second = white_check_other(first);
    return (*first & (WHITE | WHITE_LEAF)) != 0 && slot_is_reclaimable(state, image_now->birth) &&
           second != NULL && *second == BLACK;
}

static bool is_missed_slot(const struct white_span *span, uint32_t index)
{
    const struct unit *now = &heap_layout.units[span->first_unit];
    if (span->is_large)
        return now->kind == UNIT_LARGE && now->start == span->start &&
               is_missed(span->white, slot_state_get((const uint8_t *)&now->large_state));
    return now->states == white_state(span->white) && now->class_index == span->class_index &&
           is_missed(&span->white[index], slot_state_get(&now->states[index]));
}

/* ---- who holds it ---- */

static struct {
    uintptr_t start, end; /* the block that was missed, in disguise: this is a root */
    uintptr_t place;      /* where an address of it lies; 0: nowhere that was found */
    uintptr_t above;      /* the same in a block that was missed itself, in disguise */
    bool is_root;
} held;

/* The block that was missed and that the place lies in. */
static bool missed_block_at(uintptr_t place, struct white_span *span_out, uint32_t *index_out)
{
    if (!white_span_of((place - heap_layout.slots_start) >> UNIT_SHIFT, span_out))
        return false;
    *index_out = (uint32_t)((place - span_out->start) / span_out->slot_bytes);
    return *index_out < span_out->slot_count && is_missed_slot(span_out, *index_out);
}

static void look_for_holder(uintptr_t start, uintptr_t end)
{
    for (uintptr_t place = start; place + sizeof(uintptr_t) <= end && held.place == 0;
         place += sizeof(uint32_t)) {
        uintptr_t word;
        struct white_span span;
        uint32_t index;
        memcpy(&word, (const void *)place, sizeof word);
        if (~word > held.start || ~word <= held.end)
            continue;
        if (!held.is_root && missed_block_at(place, &span, &index))
            held.above = ~place;
        else
            held.place = place;
    }
}

static void look_in_root(const void *start, const void *end, unsigned step_bytes, void *context)
{
    (void)step_bytes, (void)context;
    look_for_holder((uintptr_t)start, (uintptr_t)end);
}

/* In blocks that the second marking has reached. The tables are the second's, who holds which is asked of the first's. */
static void look_in_blocks(void)
{
    struct white_span span;
    size_t unit = 0;
    do {
        white_check_swap();
        bool is_more = white_span_from(unit, &span);
        white_check_swap();
        if (!is_more)
            return;
        for (uint32_t i = 0; i < span.slot_count; i++)
            if (span.white[i] == BLACK)
                look_for_holder(span.start + i * span.slot_bytes,
                                span.start + (i + 1) * span.slot_bytes);
        unit = span.first_unit + span.unit_count;
    } while (held.place == 0);
}

/* Up to who was not missed, and should have led to the block. False when there is nobody. */
static bool find_holder(const struct white_span *missed, uint32_t index)
{
    enum { STEPS_MAX = 10000 };
    struct white_span span = *missed;
    for (int i = 0; i < STEPS_MAX; i++) {
        uintptr_t block = span.start + index * span.slot_bytes;
        held.start = ~block;
        held.end = ~(block + span.slot_bytes);
        held.above = 0;
        look_in_blocks();
        if (held.place != 0 || held.above == 0 || !missed_block_at(~held.above, &span, &index))
            break;
    }
    held.is_root = held.place == 0;
    if (held.is_root)
        roots_scan(look_in_root, NULL);
    return held.place != 0;
}

COLD static void report(const struct white_span *missed, uint32_t index, bool beside)
{
    message_note("error: marking %s missed the block at %p, and from there on that at %p, %zu bytes, which is held in a %s, at %p",
                 beside ? "beside the program" : "from old blocks", (void *)(missed->start + index * missed->slot_bytes),
                 (void *)~held.start, (size_t)(held.start - held.end), held.is_root ? "root" : "block", (void *)held.place);
    os_abort();
}

/*
 * Where the stack of the thread that marks is not known (it has just begun, or is a thread's that has forked), all of it is read, and
 * what the first marking left there in frames that have ended leads the second to garbage. Nobody holds that.
 */
static void look_for_missed(bool beside)
{
    enum { LOOKS_MAX = 64 };
    struct white_span span;
    int looks = 0;
    for (size_t unit = 0; white_span_from(unit, &span); unit = span.first_unit + span.unit_count)
        for (uint32_t i = 0; i < span.slot_count && looks < LOOKS_MAX; i++)
            if (is_missed_slot(&span, i)) {
                held.place = 0;
                held.is_root = false;
                looks++;
                if (find_holder(&span, i))
                    report(&span, i, beside);
            }
}

void check_marks(struct work *items, size_t count, bool beside)
{
    struct white_rule rule;
    white_rule_running(&rule, image_now->birth);
    if (white_check_start(&rule) != 0)
        return;
    mark_start(&marker, items, count);
    int result = roots_scan(mark_root, NULL);
    if (beside)
        dirty_mark_noted(&marker);
    mark_drain(&marker);
    white_check_swap();
    if (result == 0)
        look_for_missed(beside);
}
