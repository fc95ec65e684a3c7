/* heap/kept: large blocks that a thread keeps at hand: which it takes again, how many there are, when they go back. */
#include "heap/kept.h"
#include "heap/walk.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <string.h>

enum { BLOCKS = 64, LEAST_UNITS = 20, MOST_UNITS = 256, SHARE = 8, MANY_UNITS_MOST = 8 };

static char *take_units(size_t unit_count)
{
    return allocate(unit_count * UNIT_BYTES);
}

static size_t kept_units(void)
{
    return thread_heap_peek()->kept_units;
}

START_TEST(what_was_freed_last_is_taken_first)
{
    char *first = take_units(3);
    char *second = take_units(3);
    char *other = take_units(2);
    heap_free(first);
    heap_free(other);
    heap_free(second);
    ck_assert_uint_eq(kept_units(), 8);
    ck_assert_ptr_eq(take_units(3), second);
    ck_assert_ptr_eq(take_units(3), first);
    ck_assert_ptr_eq(take_units(2), other);
    ck_assert_uint_eq(kept_units(), 0);
    expect_sound_heap();
}
END_TEST

static size_t share_now(void)
{
    size_t share = units_taken() / SHARE;
    return share < LEAST_UNITS ? LEAST_UNITS : share > MOST_UNITS ? MOST_UNITS : share;
}

/* With a block that stays the heap is large enough for its share to count. */
START_TEST(no_more_than_a_share_is_kept)
{
    char *blocks[BLOCKS];
    size_t unit_count = (size_t)_i / 2 + 2; /* of one unit there are only slots */
    bool is_large = _i % 2 != 0;
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = take_units(unit_count);
    if (is_large)
        take_units(40 * LEAST_UNITS);
    size_t share_before = share_now();
    for (size_t i = 0; i < BLOCKS; i++)
        heap_free(blocks[i]);
    ck_assert_uint_le(kept_units(), share_before);
    ck_assert_uint_gt(kept_units() + unit_count, share_now());
    ck_assert(!is_large || kept_units() > LEAST_UNITS);
    expect_sound_heap();
}
END_TEST

/* Of larger ones a single one is, whatever the size of the heap. */
START_TEST(one_large_block_is_kept)
{
    size_t unit_count = (size_t)_i;
    char *block = take_units(unit_count);
    char *other = take_units(unit_count);
    heap_free(block);
    heap_free(other);
    ck_assert_uint_eq(kept_units(), unit_count);
    char *again = take_units(unit_count);
    ck_assert(again == block || again == other);
    ck_assert_uint_eq(kept_units(), 0);
    expect_sound_heap();
}
END_TEST

START_TEST(a_block_may_be_an_eighth_too_large)
{
    char *block = take_units(16);
    heap_free(block);
    ck_assert_ptr_eq(take_units(13), block);
    ck_assert_uint_eq(units_taken(), 13); /* it went back before untouched pages were taken */
    char *again = take_units(32);
    heap_free(again);
    ck_assert_ptr_eq(take_units(29), again);
    expect_sound_heap();
}
END_TEST

/* Kept and not wanted any more: in time it makes room for what is. */
START_TEST(what_nobody_wants_is_not_kept_for_ever)
{
    enum { TIMES = 40 };
    char *blocks[LEAST_UNITS / 2];
    for (size_t i = 0; i < LEAST_UNITS / 2; i++)
        blocks[i] = take_units(2);
    for (size_t i = 0; i < LEAST_UNITS / 2; i++)
        heap_free(blocks[i]);
    ck_assert_uint_eq(kept_units(), LEAST_UNITS);
    heap_free(take_units(40)); /* so that there is something dirty beside them */
    for (size_t i = 0; i < TIMES; i++)
        heap_free(take_units(3));
    ck_assert_uint_eq(kept_units(), 3);
    expect_sound_heap();
}
END_TEST

START_TEST(too_large_blocks_are_not_kept)
{
    heap_free(take_units(KEPT_UNITS_MAX + 1));
    ck_assert_uint_eq(kept_units(), 0);
    ck_assert_uint_eq(units_taken(), 0);
}
END_TEST

/* Large blocks and spans of slots alike: pages that are there serve before others are touched. */
START_TEST(one_goes_back_before_fresh_pages_are_taken)
{
    size_t size_bytes = _i == 0 ? UNIT_BYTES + 1 : 48;
    char *block = take_units(4);
    heap_free(block);
    ck_assert_uint_eq(kept_units(), 4);
    ck_assert_uint_eq(units_dirty(), 0);
    ck_assert_ptr_eq(allocate(size_bytes), block);
    ck_assert_uint_eq(kept_units(), 0);
    ck_assert_uint_eq(units_taken() + units_dirty(), 4);
    expect_sound_heap();
}
END_TEST

/* What none of them can serve alone takes all of them back, since they may be neighbours. */
START_TEST(all_go_back_for_a_block_larger_than_any)
{
    char *blocks[5];
    for (size_t i = 0; i < 5; i++)
        blocks[i] = take_units(4);
    for (size_t i = 0; i < 5; i++)
        heap_free(blocks[i]);
    ck_assert_uint_eq(kept_units(), 20);
    ck_assert_ptr_eq(take_units(19), blocks[0]);
    ck_assert_uint_eq(kept_units(), 0);
    expect_sound_heap();
}
END_TEST

START_TEST(a_kept_block_reads_as_zero_when_that_is_wanted)
{
    char *block = take_units(2);
    memset(block, 0x5a, 2 * UNIT_BYTES);
    heap_free(block);
    char *again = heap_allocate_zeroed(2 * UNIT_BYTES);
    ck_assert_ptr_eq(again, block);
    size_t wrong = 0;
    for (size_t i = 0; i < 2 * UNIT_BYTES; i++)
        wrong += again[i] != 0;
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(a_trim_gives_all_back)
{
    heap_free(take_units(2));
    heap_free(take_units(4));
    ck_assert_uint_ne(kept_units(), 0);
    heap_trim();
    ck_assert_uint_eq(kept_units(), 0);
    ck_assert_uint_eq(units_taken(), 0);
    expect_sound_heap();
}
END_TEST

static TCase *kept(void)
{
    TCase *tests = tcase_create("kept");
    tcase_add_checked_fixture(tests, start_heap, NULL);
    tcase_add_test(tests, what_was_freed_last_is_taken_first);
    tcase_add_loop_test(tests, no_more_than_a_share_is_kept, 0, 2 * MANY_UNITS_MOST - 2);
    tcase_add_loop_test(tests, one_large_block_is_kept, MANY_UNITS_MOST + 1, KEPT_UNITS_MAX + 1);
    tcase_add_test(tests, a_block_may_be_an_eighth_too_large);
    tcase_add_test(tests, what_nobody_wants_is_not_kept_for_ever);
    tcase_add_test(tests, too_large_blocks_are_not_kept);
    tcase_add_loop_test(tests, one_goes_back_before_fresh_pages_are_taken, 0, 2);
    tcase_add_test(tests, all_go_back_for_a_block_larger_than_any);
    tcase_add_test(tests, a_kept_block_reads_as_zero_when_that_is_wanted);
    tcase_add_test(tests, a_trim_gives_all_back);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {kept};
    return suite_run("heap/kept", makers, 1);
}
