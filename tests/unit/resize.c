/* heap/resize: blocks that go from slot to slot, and what happens when there is none to go to. */
#include "heap/runs.h"
#include "support/pattern.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <errno.h>

enum { SMALL_BYTES = 40, LARGER_BYTES = 8000 };

/* From here on the heap takes no more units. */
static void no_more_units(void)
{
    run_set_limit(units_taken());
}

START_TEST(contents_go_along)
{
    char *block = allocate(SMALL_BYTES);
    pattern_fill(block, SMALL_BYTES, 1);
    void *resized = NULL;
    ck_assert_int_eq(heap_resize(block, LARGER_BYTES, NULL, &resized), 0);
    ck_assert(pattern_holds(resized, SMALL_BYTES, 1));
    pattern_fill(resized, LARGER_BYTES, 2);
    ck_assert_int_eq(heap_resize(resized, SMALL_BYTES, NULL, &resized), 0);
    ck_assert(pattern_holds(resized, SMALL_BYTES, 2));
    ck_assert_ptr_eq(resized, block); /* freed last */
    expect_sound_heap();
}
END_TEST

START_TEST(what_can_not_be_had_leaves_the_block_alone)
{
    char *block = allocate(SMALL_BYTES);
    pattern_fill(block, SMALL_BYTES, 1);
    void *untouched = &errno;
    void *resized = untouched;
    no_more_units();
    ck_assert_int_eq(heap_resize(block, LARGER_BYTES, NULL, &resized), -ENOMEM);
    ck_assert_ptr_eq(resized, untouched);
    ck_assert(pattern_holds(block, SMALL_BYTES, 1));
    heap_free(block);
    expect_sound_heap();
}
END_TEST

START_TEST(shrinking_never_fails)
{
    char *block = allocate(LARGER_BYTES);
    pattern_fill(block, SMALL_BYTES, 1);
    void *resized = NULL;
    no_more_units();
    ck_assert_int_eq(heap_resize(block, SMALL_BYTES, NULL, &resized), 0);
    ck_assert_ptr_eq(resized, block);
    ck_assert(pattern_holds(block, SMALL_BYTES, 1));
    expect_sound_heap();
}
END_TEST

static TCase *resize(void)
{
    TCase *tests = tcase_create("resize");
    tcase_add_checked_fixture(tests, start_heap, NULL);
    tcase_add_test(tests, contents_go_along);
    tcase_add_test(tests, what_can_not_be_had_leaves_the_block_alone);
    tcase_add_test(tests, shrinking_never_fails);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {resize};
    return suite_run("heap/resize", makers, 1);
}
