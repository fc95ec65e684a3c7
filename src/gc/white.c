/*
 * gc/white: what the collector thinks of each slot, a byte each, made for one cycle.
 *
 * Uses base, heap. Locks: none of its own; see white.h.
 */
#include "gc/white.h"

#include "base/compiler.h"
#include "base/image.h"
#include "gc/area.h"
#include "gc/grey.h"
#include "gc/present.h"
#include "gc/white_lanes.h"

#include <errno.h>
#include <string.h>

enum { KEPT_BYTES = 1024 * 1024, KEPT_PART = 8 /* of the heap: it will have grown by then, and white bytes of small slots are a 32nd */ };

ptrdiff_t white_distance;
const uint64_t *white_units;
size_t white_unit_count;
uint32_t white_serial;
uint64_t white_candidate_blocks, white_candidate_bytes;
uint64_t white_sparse_bytes;

static struct area mirror = {.is_random = true};
static struct area units_area = {.is_random = true};
static uintptr_t mirrored_end; /* of the metadata that has white bytes */
static uint32_t free_birth = 1; /* no block carries it */

static uint32_t birth_after(uint32_t birth)
{
    return birth % (BIRTH_COUNT - 1) + 1;
}

static uint8_t in_state(uint32_t birth)
{
    return birth < BIRTH_COUNT ? (uint8_t)(birth << BIRTH_SHIFT) : NO_BIRTH;
}

void white_rule_running(struct white_rule *rule, uint32_t birth)
{
    rule->birth = birth;
    rule->is_young = false;
    rule->own = in_state(birth);
    rule->young = NO_BIRTH;
    rule->aged[0] = birth < BIRTH_COUNT ? in_state(birth_after(birth)) : NO_BIRTH;
    rule->aged[1] = NO_BIRTH;
    for (unsigned state = 0; state < 256; state++) {
        uint8_t value = slot_kind((uint8_t)state) == SLOT_LEAF ? WHITE_LEAF : WHITE;
        if (!slot_is_allocated((uint8_t)state))
            value = WHITE_FREE;
        else if (slot_birth((uint8_t)state) == birth)
            value = BLACK;
        else if (slot_birth((uint8_t)state) == birth_after(birth) && birth < BIRTH_COUNT)
            value |= WHITE_AGED;
        rule->by_state[state] = value;
    }
}

void white_rule_full(struct white_rule *rule, uint32_t birth)
{
    white_rule_running(rule, birth);
    rule->aged[1] = rule->own;
    rule->own = NO_BIRTH;
    for (unsigned state = 0; state < 256; state++)
        if (rule->by_state[state] == BLACK)
            rule->by_state[state] = (slot_kind((uint8_t)state) == SLOT_LEAF ? WHITE_LEAF : WHITE) | WHITE_AGED;
}

void white_rule_young(struct white_rule *rule, uint32_t young, uint32_t birth)
{
    white_rule_running(rule, birth);
    rule->is_young = true;
    rule->young = in_state(young);
    for (unsigned state = 0; state < 256; state++)
        if (slot_is_allocated((uint8_t)state) && slot_birth((uint8_t)state) != young)
            rule->by_state[state] &= WHITE_AGED;
}

bool white_may_be_born(uint32_t birth)
{
    return birth == free_birth;
}

/* From now on the block carries the birth that no cycle uses. Nothing happens if somebody frees it at this moment. */
COLD static void set_old(uint8_t *state, uint8_t before)
{
    uint8_t old = slot_state_of(slot_kind(before), BIRTH_OLD) | (before & SLOT_NOTED);
    __atomic_compare_exchange_n(state, &before, old, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* One slot after the other: the last ones of a span, and where some are about to have been born in a cycle to come. */
static uint32_t start_slots(uint8_t *states, uint8_t *white, uint32_t count, const struct white_rule *rule)
{
    uint32_t candidates = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t state = slot_state_get(&states[i]);
        uint8_t value = rule->by_state[state];
        white[i] = value & (uint8_t)~WHITE_AGED;
        candidates += (value & (WHITE | WHITE_LEAF)) != 0;
        if (UNLIKELY((value & WHITE_AGED) != 0))
            set_old(&states[i], state);
    }
    return candidates;
}

/* Whether a cycle of young blocks need look at the span. */
static bool has_young(const struct span *span, const struct white_rule *rule)
{
    uint32_t i = 0;
    for (; i + LANES <= span->slot_count; i += LANES) {
        white_lanes states = lanes_load(span->states + i);
        if (lanes_any(lanes_born(states, rule->young) | lanes_aged(states, rule)))
            return true;
    }
    for (; i < span->slot_count; i++)
        if ((rule->by_state[slot_state_get(&span->states[i])] & (WHITE | WHITE_LEAF | WHITE_AGED)) != 0)
            return true;
    return false;
}

/*
 * Returns how many candidates there are. One byte more than there are slots: a block that ends with the last slot may be pointed to
 * behind it.
 */
static uint32_t start_span(const struct span *span, const struct white_rule *rule)
{
    uint8_t *white = white_of(span->states);
    uint32_t candidates = 0, i = 0;
    if (rule->is_young && !has_young(span, rule))
        return 0;
    for (; i + LANES <= span->slot_count; i += LANES) {
        white_lanes states = lanes_load(span->states + i);
        if (UNLIKELY(lanes_any(lanes_aged(states, rule)))) {
            candidates += start_slots(span->states + i, white + i, LANES, rule);
            continue;
        }
        white_lanes lanes = lanes_white(states, rule);
        memcpy(white + i, &lanes, sizeof lanes);
        candidates += lanes_count(lanes, WHITE | WHITE_LEAF);
    }
    candidates += start_slots(span->states + i, white + i, span->slot_count - i, rule);
    white[span->slot_count] = WHITE_FREE;
    return candidates;
}

static void describe(const struct span *span, const void *white, uint32_t class_number)
{
    uint64_t *unit = (uint64_t *)units_area.start + span->first_unit;
    uint64_t entry = (uint64_t)(uintptr_t)white | (uint64_t)class_number << WHITE_UNIT_CLASS_SHIFT;
    uint64_t back = class_number == WHITE_UNIT_LARGE ? 0 : (uint64_t)1 << WHITE_UNIT_BACK_SHIFT;
    for (uint64_t i = 0; i < span->unit_count; i++)
        unit[i] = entry + i * back;
}

static bool start_large(const struct span *span, const struct white_rule *rule)
{
    struct white_large *large = (struct white_large *)(void *)white_of(span);
    uint8_t *state = (uint8_t *)&heap_layout.units[span->first_unit].large_state;
    uint8_t before = slot_state_get(state);
    *large = (struct white_large){
        .white = rule->by_state[before] & (uint8_t)~WHITE_AGED,
        .start = span->start,
        .size_bytes = span->slot_bytes,
        .first_unit = span->first_unit,
        .unit_count = span->unit_count,
    };
    if ((rule->by_state[before] & WHITE_AGED) != 0)
        set_old(state, before);
    return (large->white & (WHITE | WHITE_LEAF)) != 0;
}

int white_prepare(void)
{
    white_serial++;
    white_candidate_blocks = white_candidate_bytes = white_sparse_bytes = 0;
    size_t units = atomic_load_explicit(&heap_layout.limit_bytes, memory_order_acquire) >> UNIT_SHIFT;
    size_t used_bytes = atomic_load_explicit(&image_now->metadata_used_bytes, memory_order_acquire);
    if (area_need(&mirror, used_bytes + WORD_BITS) != 0 || area_need(&units_area, units * sizeof *white_units) != 0 ||
        grey_prepare(units) != 0)
        return -ENOMEM;
    white_units = (const uint64_t *)units_area.start;
    white_unit_count = units;
    mirrored_end = image_now->metadata_start + used_bytes;
    if (units != 0)
        memset(units_area.start, 0, units * sizeof *white_units);
    white_distance = (ptrdiff_t)((uintptr_t)mirror.start - image_now->metadata_start);
    return 0;
}

/* Whoever made its record after white_prepare() made its blocks, too. */
static bool has_room(const struct span *span)
{
    size_t record_bytes = span_is_large(span) ? sizeof *span : span_record_bytes(span->slot_count);
    return (uintptr_t)span + record_bytes <= mirrored_end && span->first_unit + span->unit_count <= white_unit_count;
}

/* The states lie behind it. */
static void prefetch_record(const struct span *span)
{
    enum { LINES = 6, LINE_BYTES = 64 };
    for (size_t line = 0; line < LINES && span != NULL; line++)
        __builtin_prefetch((const char *)span + line * LINE_BYTES);
}

size_t white_build(const struct white_rule *rule, size_t from_unit, size_t unit_count)
{
    size_t limit = from_unit + unit_count;
    struct span *next = span_from(from_unit), *span;
    while ((span = next) != NULL && span->first_unit < limit) {
        next = span_from(span->first_unit + span->unit_count);
        prefetch_record(next);
        if (!has_room(span))
            continue;
        bool is_large = span_is_large(span);
        white_sparse_bytes += span->slot_bytes < PRESENT_BYTES_MIN ? 0 : span->unit_count << UNIT_SHIFT;
        uint32_t candidates = is_large ? start_large(span, rule) : start_span(span, rule);
        white_candidate_blocks += candidates;
        white_candidate_bytes += candidates * span->slot_bytes;
        if (candidates != 0 || !rule->is_young)
            describe(span, white_of(is_large ? (void *)span : span->states), is_large ? WHITE_UNIT_LARGE : span->class_index + 1u);
    }
    if (span != NULL)
        return span->first_unit;
    if (rule->birth < BIRTH_COUNT)
        free_birth = birth_after(rule->birth);
    return SIZE_MAX;
}

int white_start(const struct white_rule *rule)
{
    int result = white_prepare();
    if (result == 0)
        white_build(rule, 0, SIZE_MAX);
    return result;
}

void white_end(void)
{
    size_t part = (atomic_load_explicit(&image_now->units_taken, memory_order_relaxed) << UNIT_SHIFT) / KEPT_PART;
    area_trim(&mirror, part > KEPT_BYTES ? part : KEPT_BYTES);
}

/* ---- a second look ---- */

static struct {
    struct area mirror, units;
    ptrdiff_t distance;
    uintptr_t mirrored_end;
    size_t unit_count;
} other = {.mirror = {.is_random = true}, .units = {.is_random = true}};

void white_check_swap(void)
{
    struct area area = mirror;
    mirror = other.mirror;
    other.mirror = area;
    area = units_area;
    units_area = other.units;
    other.units = area;
    ptrdiff_t distance = white_distance;
    white_distance = other.distance;
    other.distance = distance;
    uintptr_t end = mirrored_end;
    mirrored_end = other.mirrored_end;
    other.mirrored_end = end;
    size_t count = white_unit_count;
    white_unit_count = other.unit_count;
    other.unit_count = count;
    white_units = (const uint64_t *)units_area.start;
}

int white_check_start(const struct white_rule *rule)
{
    uint64_t blocks = white_candidate_blocks, bytes = white_candidate_bytes;
    white_check_swap();
    int result = white_start(rule);
    white_candidate_blocks = blocks;
    white_candidate_bytes = bytes;
    if (result != 0)
        white_check_swap();
    return result;
}

uint8_t *white_check_other(const uint8_t *white)
{
    uintptr_t state = (uintptr_t)white_state(white);
    return state < other.mirrored_end ? (uint8_t *)(state + (uintptr_t)other.distance) : NULL;
}

/* ---- looking ---- */

static void describe_large(const struct white_large *large, struct white_span *span_out)
{
    *span_out = (struct white_span){
        .white = (uint8_t *)&large->white,
        .first_unit = large->first_unit,
        .unit_count = large->unit_count,
        .start = large->start,
        .slot_bytes = large->size_bytes,
        .slot_count = 1,
        .is_large = true,
    };
}

bool white_span_of(size_t unit_index, struct white_span *span_out)
{
    uint64_t entry = unit_index < white_unit_count ? white_units[unit_index] : 0;
    if (entry == 0)
        return false;
    size_t class_number = white_unit_class(entry);
    void *white = white_unit_address(entry);
    if (class_number == WHITE_UNIT_LARGE) {
        describe_large(white, span_out);
        return true;
    }
    size_t first_unit = unit_index - white_unit_back(entry);
    size_t unit_count = class_unit_count[class_number - 1];
    size_t slot_bytes = class_slot_bytes[class_number - 1];
    *span_out = (struct white_span){
        .white = white,
        .first_unit = first_unit,
        .unit_count = unit_count,
        .start = unit_start(first_unit),
        .slot_bytes = slot_bytes,
        .slot_count = (uint32_t)((unit_count << UNIT_SHIFT) / slot_bytes),
        .class_index = (uint8_t)(class_number - 1),
    };
    return true;
}

bool white_span_from(size_t unit_index, struct white_span *span_out)
{
    while (unit_index < white_unit_count && white_units[unit_index] == 0)
        unit_index++;
    return white_span_of(unit_index, span_out);
}
