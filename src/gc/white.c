/*
 * gc/white: what the collector thinks of each slot, a byte each, made for one cycle.
 *
 * Uses base, heap. Locks: none of its own; see white.h.
 */
#include "gc/white.h"

#include "base/bytes.h"
#include "base/compiler.h"
#include "base/image.h"
#include "gc/area.h"
#include "gc/grey.h"
#include "gc/present.h"
#include "gc/white_lanes.h"

#include <errno.h>
#include <string.h>

enum { KEPT_BYTES = 1024 * 1024, KEPT_PART = 8 /* of the heap: it will have grown by then, and white bytes of small slots are a 32nd */, PLACES_PART = 4 };

ptrdiff_t white_distance;
const uint64_t *white_units;
const uint64_t *white_place_units;
struct white_place *white_places;
size_t white_unit_count;
uint32_t white_serial;
uint64_t white_candidate_blocks, white_candidate_bytes;
uint64_t white_sparse_bytes;

/* The memory of all that. Nobody's places: a span without candidates has as many there as it needs. */
struct tables {
    struct area mirror, units, place_units, places;
    size_t unit_count, place_count;
    uintptr_t mirrored_end; /* of the metadata that has white bytes */
};

enum { SLOTS_MAX = 1024, PLACES_NOBODYS = SLOTS_MAX / WORD_BITS + 1 };

static struct tables tables = {
    .mirror.is_random = true, .units.is_random = true, .place_units.is_random = true, .places.is_random = true};
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

static void describe(const struct span *span, const void *white, uint32_t class_number, size_t place)
{
    uint64_t *unit = (uint64_t *)tables.units.start + span->first_unit;
    uint64_t *place_unit = (uint64_t *)tables.place_units.start + span->first_unit;
    uint64_t entry = (uint64_t)(uintptr_t)white | (uint64_t)class_number << WHITE_UNIT_CLASS_SHIFT;
    uint64_t place_entry = place | (uint64_t)class_number << WHITE_UNIT_CLASS_SHIFT;
    uint64_t back = class_number == WHITE_UNIT_LARGE ? 0 : (uint64_t)1 << WHITE_UNIT_BACK_SHIFT;
    for (uint64_t i = 0; i < span->unit_count; i++) {
        unit[i] = entry + i * back;
        place_unit[i] = place_entry + i * back;
    }
}

/* Also for what lies behind the last slot. Returns the first place. */
static size_t place_slots(const uint8_t *white, size_t count)
{
    size_t first = tables.place_count;
    for (size_t i = 0; i <= count; i += WORD_BITS)
        white_places[tables.place_count++] = (struct white_place){.fresh = i < count ? bytes_with(white + i, count - i, WHITE | WHITE_LEAF) : 0};
    return first;
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

/* What the marker uses of the tables. */
static void show(void)
{
    white_units = (const uint64_t *)tables.units.start;
    white_place_units = (const uint64_t *)tables.place_units.start;
    white_places = (struct white_place *)(void *)tables.places.start;
    white_unit_count = tables.unit_count;
    white_distance = (ptrdiff_t)((uintptr_t)tables.mirror.start - image_now->metadata_start);
}

static int need_tables(size_t used_bytes, size_t units)
{
    /* Who has candidates was there before, and has a record of more than 64 bytes and a byte a slot. */
    size_t places = PLACES_NOBODYS + used_bytes / WORD_BITS + 1;
    if (area_need(&tables.mirror, used_bytes + WORD_BITS) != 0 || area_need(&tables.units, units * sizeof *white_units) != 0 ||
        area_need(&tables.place_units, units * sizeof *white_place_units) != 0 ||
        area_need(&tables.places, places * sizeof *white_places) != 0)
        return -ENOMEM;
    return grey_prepare(units);
}

int white_prepare(void)
{
    white_serial++;
    white_candidate_blocks = white_candidate_bytes = white_sparse_bytes = 0;
    size_t units = atomic_load_explicit(&heap_layout.limit_bytes, memory_order_acquire) >> UNIT_SHIFT;
    size_t used_bytes = atomic_load_explicit(&image_now->metadata_used_bytes, memory_order_acquire);
    if (need_tables(used_bytes, units) != 0)
        return -ENOMEM;
    tables.unit_count = units;
    tables.mirrored_end = image_now->metadata_start + used_bytes;
    tables.place_count = PLACES_NOBODYS;
    show();
    if (units != 0) {
        memset(tables.units.start, 0, units * sizeof *white_units);
        memset(tables.place_units.start, 0, units * sizeof *white_place_units);
    }
    memset(white_places, 0, PLACES_NOBODYS * sizeof *white_places);
    return 0;
}

/* Whoever made its record after white_prepare() made its blocks, too. */
static bool has_room(const struct span *span)
{
    size_t record_bytes = span_is_large(span) ? sizeof *span : span_record_bytes(span->slot_count);
    return (uintptr_t)span + record_bytes <= tables.mirrored_end && span->first_unit + span->unit_count <= white_unit_count;
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
        if (candidates == 0 && rule->is_young)
            continue;
        uint8_t *white = white_of(is_large ? (void *)span : span->states);
        size_t place = candidates == 0 ? 0 : place_slots(white, is_large ? 1 : span->slot_count);
        describe(span, white, is_large ? WHITE_UNIT_LARGE : span->class_index + 1u, place);
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
    area_trim(&tables.mirror, part > KEPT_BYTES ? part : KEPT_BYTES);
    area_trim(&tables.places, (part > KEPT_BYTES ? part : KEPT_BYTES) / PLACES_PART);
}

/* ---- a second look ---- */

static struct tables other = {
    .mirror.is_random = true, .units.is_random = true, .place_units.is_random = true, .places.is_random = true};

static ptrdiff_t other_distance(void)
{
    return (ptrdiff_t)((uintptr_t)other.mirror.start - image_now->metadata_start);
}

void white_check_swap(void)
{
    struct tables before = tables;
    tables = other;
    other = before;
    show();
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
    return state < other.mirrored_end ? (uint8_t *)(state + (uintptr_t)other_distance()) : NULL;
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
    struct white_place *places = white_places + white_unit_place(white_place_units[unit_index]);
    if (class_number == WHITE_UNIT_LARGE) {
        describe_large(white, span_out);
        span_out->places = places;
        return true;
    }
    size_t first_unit = unit_index - white_unit_back(entry);
    size_t unit_count = class_unit_count[class_number - 1];
    size_t slot_bytes = class_slot_bytes[class_number - 1];
    *span_out = (struct white_span){
        .white = white,
        .places = places,
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

void white_set_back(const void *block, uint8_t *white, uint8_t value)
{
    size_t unit = ((uintptr_t)block - heap_layout.slots_start) >> UNIT_SHIFT;
    uint64_t entry = white_units[unit];
    size_t index = white_unit_class(entry) == WHITE_UNIT_LARGE ? 0 : (size_t)(white - (uint8_t *)white_unit_address(entry));
    *white = value;
    white_places[white_unit_place(white_place_units[unit]) + index / WORD_BITS].fresh |= (uint64_t)1 << index % WORD_BITS;
}
