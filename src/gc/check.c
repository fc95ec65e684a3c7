/*
 * gc/check: whether marking has missed anything, beside the program or from old blocks.
 *
 * Blocks of the cycle's own time count as far as anything was ever written to their pages: what else is in them was there before
 * they were, and means nothing.
 *
 * Uses os, base, heap. Locks: none of its own.
 */
#include "gc/check.h"

#include "base/image.h"
#include "base/message.h"
#include "gc/dirty.h"
#include "gc/mark.h"
#include "gc/roots.h"
#include "gc/white.h"
#include "os/thread.h"

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

static uintptr_t find_missed(void)
{
    struct white_span span;
    for (size_t unit = 0; white_span_from(unit, &span); unit = span.first_unit + span.unit_count) {
        const struct unit *now = &heap_layout.units[span.first_unit];
        if (span.is_large) {
            bool is_same = now->kind == UNIT_LARGE && now->start == span.start;
            if (is_same &&
                is_missed(span.white, slot_state_get((const uint8_t *)&now->large_state)))
                return span.start;
            continue;
        }
        if (now->states != white_state(span.white) || now->class_index != span.class_index)
            continue;
        for (uint32_t i = 0; i < span.slot_count; i++)
            if (is_missed(&span.white[i], slot_state_get(&now->states[i])))
                return span.start + i * span.slot_bytes;
    }
    return 0;
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
    uintptr_t missed = result == 0 ? find_missed() : 0;
    if (missed == 0)
        return;
    message_note("error: marking %s missed the block at %p", beside ? "beside the program" : "from old blocks", (void *)missed);
    os_abort();
}
