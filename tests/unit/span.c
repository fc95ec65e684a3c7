/* heap/span: slots against an array of flags; where an address belongs; what a new span knows of its old pages. */
#include "heap/span.h"
#include "base/bits.h"
#include "heap/layout.h"
#include "heap/metadata.h"
#include "heap/runs.h"
#include "property/random.h"
#include "support/pattern.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <string.h>

enum { SLOTS_MAX = 1024 };

static struct span *create(uint32_t class_index)
{
    start_heap();
    struct span *span = span_create(heap_self, class_index);
    ck_assert_ptr_nonnull(span);
    return span;
}

START_TEST(a_new_span_offers_every_slot)
{
    struct span *span = create((uint32_t)_i);
    ck_assert_uint_eq(span->slot_bytes, class_slot_bytes[_i]);
    ck_assert_uint_eq(span->slot_count, span->unit_count * UNIT_BYTES / span->slot_bytes);
    ck_assert_uint_eq(span->free_count, span->slot_count);
    ck_assert_uint_eq(bitmap_count(span->free, 0, span->slot_count), span->slot_count);
    for (uint32_t i = 0; i < span->slot_count; i++)
        ck_assert_uint_eq(span->states[i], SLOT_FRESH);
    for (size_t i = 0; i < span->unit_count; i++) {
        const struct unit *unit = &heap_layout.units[span->first_unit + i];
        ck_assert_ptr_eq(atomic_load(&unit->owner), heap_self);
        ck_assert_ptr_eq(unit->span, span);
        ck_assert_uint_eq(unit->start, span->start);
        ck_assert_uint_eq(unit->kind, UNIT_SPAN);
    }
    span_destroy(span);
    ck_assert_uint_eq(units_taken(), 0);
}
END_TEST

/* Takes up to `limit` slots; the lowest lies last, to be handed out first. Returns how many. */
static uint32_t claim(struct span *span, struct entry *entries, uint32_t limit)
{
    uint32_t count = limit < span->free_count ? limit : span->free_count;
    span_claim(span, entries, count);
    return count;
}

/* Claims come lowest first, each slot once, each with its own state byte; what is offered twice is refused. */
START_TEST(claiming_and_offering_follow_the_model)
{
    struct span *span = create((uint32_t)_i);
    struct random random = {(uint64_t)_i};
    struct entry entries[SLOTS_MAX];
    bool offered[SLOTS_MAX];
    memset(offered, true, sizeof offered);
    for (int round = 0; round < 600; round++) {
        if (random_below(&random, 2) == 0) {
            uint32_t count = claim(span, entries, 1 + (uint32_t)random_below(&random, 40));
            struct entry *next = entries + count;
            for (uint32_t i = 0; next > entries; i++) {
                ck_assert_uint_lt(i, span->slot_count);
                if (!offered[i])
                    continue;
                next--;
                ck_assert_uint_eq((uintptr_t)next->slot, span_slot(span, i));
                ck_assert_ptr_eq(next->state, span->states + i);
                offered[i] = false;
            }
        } else {
            for (int i = 0; i < 20; i++) {
                uint32_t index = (uint32_t)random_below(&random, span->slot_count);
                ck_assert_int_eq(span_offer(span, index), !offered[index]);
                offered[index] = true;
            }
        }
        ck_assert_uint_eq(span->free_count, bitmap_count(span->free, 0, span->slot_count));
    }
}
END_TEST

START_TEST(a_rebuilt_span_offers_what_is_not_allocated)
{
    struct span *span = create((uint32_t)_i);
    struct random random = {(uint64_t)_i};
    struct entry entries[SLOTS_MAX];
    claim(span, entries, span->slot_count / 2 + 1);
    uint32_t expected = 0;
    for (uint32_t i = 0; i < span->slot_count; i++) {
        span->states[i] = (uint8_t)random_below(&random, 4);
        expected += (span->states[i] & 1) == 0;
    }
    span_rebuild(span);
    ck_assert_uint_eq(span->free_count, expected);
    for (uint32_t i = 0; i < span->slot_count; i++)
        ck_assert_int_eq(bitmap_get(span->free, i), (span->states[i] & 1) == 0);
    ck_assert_uint_eq(claim(span, entries, SLOTS_MAX), expected);
    ck_assert_uint_eq(bitmap_count(span->free, 0, span->slot_count), 0);
}
END_TEST

START_TEST(every_address_leads_to_its_span)
{
    struct span *spans[CLASS_COUNT];
    start_heap();
    for (uint32_t i = 0; i < CLASS_COUNT; i++)
        spans[i] = create(i);
    for (uint32_t i = 0; i < CLASS_COUNT; i++)
        for (size_t offset = 0; offset < spans[i]->unit_count << UNIT_SHIFT; offset += 1000)
            ck_assert_ptr_eq(span_at((char *)spans[i]->start + offset), spans[i]);
    size_t seen = 0;
    for (struct span *span = span_from(0); span != NULL;
         span = span_from(span->first_unit + span->unit_count))
        seen++;
    ck_assert_uint_eq(seen, CLASS_COUNT);
    uintptr_t gone = spans[7]->start;
    span_destroy(spans[7]);
    ck_assert_ptr_null(span_at((void *)gone));
}
END_TEST

/* Slots whose pages were used before are FREE, so that calloc clears them; the others are FRESH and read as zero. */
START_TEST(a_new_span_knows_which_slots_hold_old_data)
{
    uint32_t class_index = (uint32_t)_i;
    size_t unit_count = class_unit_count[class_index];
    start_heap();
    for (size_t dirty = 0; dirty < unit_count; dirty++) {
        size_t first = run_take(unit_count, 1, RUN_CLEAN_FIRST);
        memset((void *)unit_start(first + dirty), 'x', UNIT_BYTES);
        set_dirty(first + dirty, 1);
        put_units(first, unit_count);
        struct span *span = create(class_index);
        for (uint32_t i = 0; i < span->slot_count; i++) {
            size_t from = i * span->slot_bytes / UNIT_BYTES;
            size_t to = ((i + 1) * span->slot_bytes - 1) / UNIT_BYTES;
            bool old = span->first_unit == first && from <= dirty && dirty <= to;
            ck_assert_uint_eq(span->states[i], old ? SLOT_FREE : SLOT_FRESH);
            ck_assert(old || all_zero((void *)span_slot(span, i), span->slot_bytes));
        }
        span_destroy(span);
        run_purge_all();
    }
}
END_TEST

/* A unit none of whose slots was handed out is clean again when the span ends. */
START_TEST(a_span_dirties_only_the_units_it_has_used)
{
    struct span *span = create((uint32_t)_i);
    struct random random = {(uint64_t)_i};
    size_t first_unit = span->first_unit, unit_count = span->unit_count;
    bool used[32] = {false};
    uint32_t index = (uint32_t)random_below(&random, span->slot_count);
    span->states[index] = SLOT_FREE;
    for (size_t i = index * span->slot_bytes / UNIT_BYTES;
         i <= ((index + 1) * span->slot_bytes - 1) / UNIT_BYTES; i++)
        used[i] = true;
    span_destroy(span);
    for (size_t i = 0; i < unit_count; i++)
        ck_assert_int_eq(bitmap_get(layout_unit_maps()->dirty, first_unit + i), used[i]);
}
END_TEST

START_TEST(a_span_changes_hands_in_every_unit)
{
    struct span *span = create(CLASS_COUNT - 1);
    struct thread_heap *other = metadata_take(sizeof *other);
    span_set_owner(span, other);
    ck_assert_ptr_eq(span->owner, other);
    for (size_t i = 0; i < span->unit_count; i++)
        ck_assert_ptr_eq(atomic_load(&heap_layout.units[span->first_unit + i].owner), other);
}
END_TEST

static TCase *span(void)
{
    TCase *tests = tcase_create("span");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_new_span_offers_every_slot, 0, CLASS_COUNT);
    tcase_add_loop_test(tests, claiming_and_offering_follow_the_model, 0, CLASS_COUNT);
    tcase_add_loop_test(tests, a_rebuilt_span_offers_what_is_not_allocated, 0, CLASS_COUNT);
    tcase_add_test(tests, every_address_leads_to_its_span);
    tcase_add_loop_test(tests, a_new_span_knows_which_slots_hold_old_data, 0, CLASS_COUNT);
    tcase_add_loop_test(tests, a_span_dirties_only_the_units_it_has_used, 0, CLASS_COUNT);
    tcase_add_test(tests, a_span_changes_hands_in_every_unit);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {span};
    return suite_run("heap/span", makers, 1);
}
