/*
 * gc/white: what the collector thinks of each slot, a byte each, made for one cycle.
 *
 * Uses base, heap. Locks: none of its own; see white.h.
 */
#include "gc/white.h"

#include "base/compiler.h"
#include "base/image.h"
#include "gc/area.h"

#include <errno.h>
#include <string.h>

enum { KEPT_BYTES = 1024 * 1024 };

ptrdiff_t white_distance;

const uint64_t *white_units;

static struct area mirror = {.is_random = true};
static struct area units_area = {.is_random = true};

void white_rule_full(struct white_rule *rule, uint32_t birth)
{
    for (unsigned state = 0; state < 256; state++) {
        enum slot_kind kind = slot_kind((uint8_t)state);
        uint8_t value = !slot_is_allocated((uint8_t)state) ? WHITE_FREE : kind == SLOT_LEAF ? WHITE_LEAF : WHITE;
        bool is_aged = value != WHITE_FREE && slot_birth((uint8_t)state) == birth;
        rule->by_state[state] = is_aged ? value | WHITE_AGED : value;
    }
}

/*
 * A block that was born when this birth was last used, BIRTH_COUNT cycles ago, is old, and from now on carries the birth
 * that no cycle uses.
 */
static uint8_t aged(uint8_t state)
{
    return slot_state_of(slot_kind(state), BIRTH_OLD) | (state & SLOT_NOTED);
}

/* One byte more than there are slots: a block that ends with the last slot may be pointed to behind it. */
static void start_span(const struct span *span, const struct white_rule *rule)
{
    uint8_t *white = white_of(span->states);
    for (uint32_t i = 0; i < span->slot_count; i++) {
        uint8_t state = slot_state_get(&span->states[i]);
        white[i] = rule->by_state[state] & (uint8_t)~WHITE_AGED;
        if (UNLIKELY((rule->by_state[state] & WHITE_AGED) != 0))
            slot_state_set(&span->states[i], aged(state));
    }
    white[span->slot_count] = WHITE_FREE;
}

static void describe(const struct span *span)
{
    uint64_t *unit = (uint64_t *)units_area.start + span->first_unit;
    uint64_t entry = (uint64_t)(uintptr_t)white_of(span->states) << WHITE_UNIT_SHIFT | (span->class_index + 1u);
    for (uint64_t i = 0; i < span->unit_count; i++)
        unit[i] = entry | i << WHITE_UNIT_BACK_SHIFT;
}

static void start_large(const struct span *span, const struct white_rule *rule)
{
    struct unit *first = &heap_layout.units[span->first_unit];
    uint8_t state = atomic_load_explicit(&first->large_state, memory_order_relaxed);
    *white_of(span) = rule->by_state[state] & (uint8_t)~WHITE_AGED;
    if ((rule->by_state[state] & WHITE_AGED) != 0)
        atomic_store_explicit(&first->large_state, aged(state), memory_order_relaxed);
}

int white_start(const struct white_rule *rule)
{
    size_t table_bytes = (atomic_load_explicit(&heap_layout.limit_bytes, memory_order_relaxed) >> UNIT_SHIFT) * sizeof *white_units;
    size_t used_bytes = atomic_load_explicit(&image_now->metadata_used_bytes, memory_order_relaxed);
    if (area_need(&mirror, used_bytes + WORD_BITS) != 0 || area_need(&units_area, table_bytes) != 0)
        return -ENOMEM;
    white_units = (const uint64_t *)units_area.start;
    memset(units_area.start, 0, table_bytes);
    white_distance = (ptrdiff_t)((uintptr_t)mirror.start - image_now->metadata_start);
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count)) {
        if (span_is_large(span)) {
            start_large(span, rule);
            continue;
        }
        start_span(span, rule);
        describe(span);
    }
    return 0;
}

void white_end(void)
{
    area_trim(&mirror, KEPT_BYTES);
}
