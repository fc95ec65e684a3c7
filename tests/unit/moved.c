/* heap/moved: pieces that come and go against an array that says for each unit which piece it belongs to. */
#include "heap/moved.h"
#include "base/bits.h"
#include "heap/large.h"
#include "heap/layout.h"
#include "heap/runs.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <stdlib.h>

enum { UNITS = 3000, STEPS = 20000 };

static uint32_t piece_of[UNITS]; /* 0: of none */

static void fill(size_t first, size_t count, uint32_t piece)
{
    for (size_t i = first; i < first + count; i++)
        piece_of[i] = piece;
}

/* What is left of a piece as a single unit, its last, is not counted; what is left as several parts counts as several. */
static size_t expected(void)
{
    size_t count = 0;
    for (size_t i = 0; i + 1 < UNITS; i++)
        count += piece_of[i] != 0 && piece_of[i] == piece_of[i + 1] && (i == 0 || piece_of[i - 1] != piece_of[i]);
    return count;
}

static bool any(size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        if (piece_of[i] != 0)
            return true;
    return false;
}

START_TEST(pieces_are_counted)
{
    start_heap();
    struct random random = {(uint64_t)_i + 1};
    size_t start = run_take(UNITS, 1, RUN_CLEAN_FIRST);
    ck_assert_uint_ne(start, SIZE_MAX);
    fill(0, UNITS, 0);
    run_lock();
    for (uint32_t step = 1; step <= STEPS; step++) {
        size_t first = random_below(&random, UNITS - 1);
        size_t count = 2 + random_below(&random, step % 7 == 0 ? 300 : 20);
        count = count < UNITS - first ? count : UNITS - first;
        if (random_below(&random, 3) != 0) {
            fill(first, count, step);
            moved_set(start + first, count);
        } else {
            fill(first, count, 0);
            moved_clear(start + first, count);
        }
        hot_assert(!any(first, count) || moved_any(start + first, count), "found again");
        if (step % 16 == 0)
            ck_assert_uint_eq(moved_count(), expected());
    }
    moved_clear(start, UNITS);
    ck_assert_uint_eq(moved_count(), 0);
    run_unlock();
}
END_TEST

/* A process has 65,530 mappings, and we are not the only ones to want some: beyond a share of them blocks are copied. */
START_TEST(mappings_are_not_used_up)
{
    enum { BLOCKS = 20000, SMALL = 140000, LARGE = 400000 };
    start_heap();
    void **blocks = calloc(BLOCKS, sizeof *blocks);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = heap_allocate(SMALL);
        *(size_t *)blocks[i] = i;
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        hot_assert(heap_resize(blocks[i], LARGE, NULL, &blocks[i]) == 0, "resized");
        hot_assert(*(size_t *)blocks[i] == i, "the same block");
    }
    ck_assert_uint_gt(moved_count(), 1000);
    ck_assert_uint_le(moved_count(), 8192);
    for (size_t i = 0; i < BLOCKS; i++)
        heap_free(blocks[i]);
    free(blocks);
    expect_sound_heap();
}
END_TEST

static TCase *moved(void)
{
    TCase *tests = tcase_create("moved");
    tcase_add_loop_test(tests, pieces_are_counted, 0, 4);
    tcase_add_test(tests, mappings_are_not_used_up);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {moved};
    return suite_run("heap/moved", makers, 1);
}
