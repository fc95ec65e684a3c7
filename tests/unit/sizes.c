/* heap/sizes: the tables derived once more from the rule, and slot indexes by reciprocal for every offset there is. */
#include "heap/sizes.h"
#include "base/bits.h"
#include "heap/span.h"
#include "heap/thread.h"
#include "heap/unit.h"
#include "support/suite.h"

#include <stdlib.h>

/* 16-byte steps to 512; then 8 steps a doubling. */
static uint32_t next_slot_bytes(uint32_t slot_bytes)
{
    uint32_t doubling = (uint32_t)1 << bit_highest(slot_bytes);
    if (slot_bytes < 512)
        return slot_bytes + 16;
    return slot_bytes + doubling / 8;
}

START_TEST(slot_sizes_follow_the_rule)
{
    uint32_t expected = 16;
    for (int i = 0; i < CLASS_COUNT; i++) {
        ck_assert_uint_eq(class_slot_bytes[i], expected);
        ck_assert_uint_eq(class_slot_bytes[i] % BLOCK_ALIGNMENT, 0);
        expected = next_slot_bytes(expected);
    }
    ck_assert_uint_eq(class_slot_bytes[CLASS_COUNT - 1], CLASS_BYTES_MAX);
}
END_TEST

/* The fewest units with little waste at the end. */
static uint32_t units_by_rule(uint32_t slot_bytes)
{
    for (uint32_t units = 1;; units++) {
        uint32_t span_bytes = units * UNIT_BYTES;
        if (span_bytes >= slot_bytes && span_bytes % slot_bytes * 10 <= span_bytes)
            return units;
    }
}

START_TEST(span_sizes_follow_the_rule)
{
    for (int i = 0; i < CLASS_COUNT; i++) {
        ck_assert_msg(class_unit_count[i] == units_by_rule(class_slot_bytes[i]),
                      "%u bytes: %u units, by the rule %u", class_slot_bytes[i],
                      class_unit_count[i], units_by_rule(class_slot_bytes[i]));
    }
}
END_TEST

START_TEST(every_size_gets_the_smallest_class_that_holds_it)
{
    uint32_t expected = 0;
    for (size_t size_bytes = 1; size_bytes <= CLASS_BYTES_MAX; size_bytes++) {
        while (class_slot_bytes[expected] < size_bytes)
            expected++;
        ck_assert_uint_eq(class_exact(size_bytes), expected);
    }
}
END_TEST

/* Above 128 bytes in steps of 32, above 512 four and above 1 KiB two to a doubling. */
static size_t shared_slot_bytes(size_t size_bytes)
{
    size_t doubling = size_bytes <= 1 ? 1 : (size_t)1 << bit_highest(size_bytes - 1);
    if (size_bytes <= 128)
        return round_up(size_bytes, 16);
    if (size_bytes <= 512)
        return round_up(size_bytes, 32);
    return round_up(size_bytes, size_bytes <= 1024 ? doubling / 4 : doubling / 2);
}

START_TEST(sizes_share_classes_at_first)
{
    for (size_t size_bytes = 1; size_bytes <= CLASS_BYTES_MAX; size_bytes++) {
        ck_assert_uint_eq(class_slot_bytes[class_of(size_bytes)], shared_slot_bytes(size_bytes));
        ck_assert_uint_eq(class_of(size_bytes), class_shared(class_exact(size_bytes)));
        ck_assert_uint_lt(class_least_bytes(class_of(size_bytes)), size_bytes);
    }
}
END_TEST

START_TEST(a_size_in_demand_gets_its_own_class)
{
    enum { SIZE_BYTES = 4368, LARGER_BYTES = 4700, UNITS = 64 };
    uint32_t exact = class_exact(SIZE_BYTES), shared = class_shared(exact);
    ck_assert_uint_ne(exact, shared);
    class_count_units(shared, UNITS - 1);
    class_note_demand(exact);
    ck_assert_uint_eq(class_of(SIZE_BYTES), shared);
    class_count_units(shared, 1);
    class_note_demand(shared);
    ck_assert_uint_eq(class_of(SIZE_BYTES), shared);
    class_note_demand(exact);
    ck_assert_uint_eq(class_of(SIZE_BYTES), exact);
    ck_assert_uint_eq(class_of(LARGER_BYTES), shared);
    for (size_t size_bytes = 1; size_bytes <= CLASS_BYTES_MAX; size_bytes++) {
        ck_assert_uint_le(size_bytes, class_slot_bytes[class_of(size_bytes)]);
        ck_assert_uint_eq(class_shared(class_of(size_bytes)), class_shared(class_exact(size_bytes)));
    }
    class_count_units(shared, -UNITS);
}
END_TEST

START_TEST(a_large_heap_gives_own_classes_sooner)
{
    enum { SIZE_BYTES = 136, OTHER_BYTES = 4000, UNITS = 16, LARGE_UNITS = 512 };
    uint32_t exact = class_exact(SIZE_BYTES), shared = class_shared(exact), other = class_exact(OTHER_BYTES);
    class_count_units(shared, UNITS);
    class_count_units(other, LARGE_UNITS - UNITS - 1);
    class_note_demand(exact);
    ck_assert_uint_eq(class_of(SIZE_BYTES), shared);
    class_count_units(other, 1);
    class_note_demand(exact);
    ck_assert_uint_eq(class_of(SIZE_BYTES), exact);
    class_count_units(other, UNITS - LARGE_UNITS);
    class_count_units(shared, -UNITS);
}
END_TEST

/* As with a collector. */
START_TEST(nothing_is_shared_where_blocks_dont_fill_slots)
{
    class_rule.bias = 0;
    class_share_nothing();
    for (size_t size_bytes = 1; size_bytes < CLASS_BYTES_MAX; size_bytes++) {
        uint32_t class_index = class_of(size_bytes);
        ck_assert_uint_eq(class_index, class_exact(size_bytes));
        ck_assert_uint_gt(class_slot_bytes[class_index], size_bytes);
        ck_assert_uint_eq(class_least_bytes(class_index), class_index == 0 ? 0 : class_slot_bytes[class_index - 1]);
    }
}
END_TEST

START_TEST(little_of_a_slot_is_unused)
{
    for (size_t size_bytes = 129; size_bytes <= CLASS_BYTES_MAX; size_bytes++) {
        size_t slot_bytes = class_slot_bytes[class_exact(size_bytes)];
        size_t unused_permille = (slot_bytes - size_bytes) * 1000 / slot_bytes;
        ck_assert_uint_le(unused_permille, 125);
        slot_bytes = class_slot_bytes[class_of(size_bytes)];
        ck_assert_uint_le((slot_bytes - size_bytes) * (size_bytes <= 1024 ? 5 : 3), slot_bytes);
    }
}
END_TEST

/* Every byte of a span of every class, from a span that the heap itself has made. */
START_TEST(index_and_start_are_exact_at_every_offset)
{
    for (uint32_t class_index = 0; class_index < CLASS_COUNT; class_index++) {
        struct span *span = thread_heap_get() == NULL ? NULL : span_create(heap_self, class_index);
        ck_assert_ptr_nonnull(span);
        const struct unit *unit = &heap_layout.units[span->first_unit];
        size_t index = 0, rest = 0;
        size_t wrong = 0;
        for (size_t offset = 0; offset < span->unit_count << UNIT_SHIFT; offset++) {
            struct slot_position position = unit_slot_position(unit, (char *)span->start + offset);
            wrong += position.index != index || position.is_start != (rest == 0);
            if (++rest == span->slot_bytes) {
                rest = 0;
                index++;
            }
        }
        ck_assert_msg(wrong == 0, "%u bytes: %zu of %zu offsets are wrong",
                      class_slot_bytes[class_index], wrong, span->unit_count << UNIT_SHIFT);
        span_destroy(span);
    }
}
END_TEST

/* The buffer's place in a thread heap is kept in 16 bits. */
START_TEST(a_descriptor_leads_to_its_buffer)
{
    for (uint32_t class_index = 0; class_index < CLASS_COUNT; class_index++) {
        struct span *span = thread_heap_get() == NULL ? NULL : span_create(heap_self, class_index);
        ck_assert_ptr_nonnull(span);
        for (size_t i = 0; i < span->unit_count; i++) {
            const struct unit *unit = &heap_layout.units[span->first_unit + i];
            ck_assert_ptr_eq((char *)heap_self + unit->buffer_offset,
                             (char *)&heap_self->buffers[class_index]);
            ck_assert_uint_eq(unit->class_index, class_index);
        }
        span_destroy(span);
    }
}
END_TEST

static TCase *sizes(void)
{
    TCase *tests = tcase_create("sizes");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, slot_sizes_follow_the_rule);
    tcase_add_test(tests, span_sizes_follow_the_rule);
    tcase_add_test(tests, every_size_gets_the_smallest_class_that_holds_it);
    tcase_add_test(tests, sizes_share_classes_at_first);
    tcase_add_test(tests, a_size_in_demand_gets_its_own_class);
    tcase_add_test(tests, a_large_heap_gives_own_classes_sooner);
    tcase_add_test(tests, nothing_is_shared_where_blocks_dont_fill_slots);
    tcase_add_test(tests, little_of_a_slot_is_unused);
    tcase_add_test(tests, index_and_start_are_exact_at_every_offset);
    tcase_add_test(tests, a_descriptor_leads_to_its_buffer);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {sizes};
    return suite_run("heap/sizes", makers, 1);
}
