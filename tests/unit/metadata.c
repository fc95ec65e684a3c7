/* heap/metadata: pieces are zero, aligned, apart from each other, and come back by their size. */
#include "heap/metadata.h"
#include "property/random.h"
#include "support/pattern.h"
#include "support/require.h"
#include "support/suite.h"
#include "unit/heap.h"
#include "unit/threads.h"

#include <string.h>

enum { PIECES = 300, THREADS = 4 };

struct piece {
    unsigned char *start;
    size_t size_bytes;
    unsigned seed;
};

static size_t some_size(struct random *random)
{
    return 1 + random_below(random, random_below(random, 8) == 0 ? 40000 : 600);
}

static void take(struct piece *piece, struct random *random)
{
    piece->size_bytes = some_size(random);
    piece->seed = (unsigned)random_next(random);
    piece->start = metadata_take(piece->size_bytes);
    require(piece->start != NULL && (uintptr_t)piece->start % 64 == 0);
    require(all_zero(piece->start, piece->size_bytes));
    pattern_fill(piece->start, piece->size_bytes, piece->seed);
}

static void put(struct piece *piece)
{
    require(pattern_holds(piece->start, piece->size_bytes, piece->seed));
    metadata_put(piece->start, piece->size_bytes);
    piece->start = NULL;
}

/* A piece that overlaps another, or whose link is written into one in use, spoils a pattern. */
static void replace_pieces(int index, void *context)
{
    struct random random = {(uint64_t)index};
    struct piece pieces[PIECES] = {0};
    for (int round = 0; round < *(int *)context; round++) {
        struct piece *piece = &pieces[random_below(&random, PIECES)];
        if (piece->start != NULL)
            put(piece);
        else
            take(piece, &random);
    }
    for (int i = 0; i < PIECES; i++)
        if (pieces[i].start != NULL)
            put(&pieces[i]);
}

START_TEST(pieces_are_zero_and_apart)
{
    int rounds = 50000;
    start_heap();
    replace_pieces(1, &rounds);
}
END_TEST

START_TEST(threads_may_take_at_the_same_time)
{
    int rounds = 50000;
    start_heap();
    threads_run(THREADS, replace_pieces, &rounds);
}
END_TEST

START_TEST(a_piece_comes_back_for_the_same_size)
{
    start_heap();
    static const size_t sizes[] = {1, 64, 65, 128, 4032, 4096, 4097, 8192, 8193, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *piece = metadata_take(sizes[i]);
        size_t used = atomic_load(&gca_image->metadata_used_bytes);
        memset(piece, 'x', sizes[i]);
        metadata_put(piece, sizes[i]);
        void *again = metadata_take(sizes[i]);
        ck_assert_ptr_eq(again, piece);
        ck_assert(all_zero(again, sizes[i]));
        ck_assert_uint_eq(atomic_load(&gca_image->metadata_used_bytes), used);
    }
}
END_TEST

/* The rounded size of what was put less what was taken again. */
START_TEST(free_bytes_are_counted)
{
    start_heap();
    size_t before = metadata_free_bytes();
    void *small = metadata_take(100), *large = metadata_take(5000);
    ck_assert_uint_eq(metadata_free_bytes(), before);
    metadata_put(small, 100);
    ck_assert_uint_eq(metadata_free_bytes(), before + 128);
    metadata_put(large, 5000);
    ck_assert_uint_eq(metadata_free_bytes(), before + 128 + 8192);
    metadata_put(NULL, 64);
    metadata_take(128);
    metadata_take(8192);
    ck_assert_uint_eq(metadata_free_bytes(), before);
}
END_TEST

START_TEST(too_much_is_refused_and_harms_nothing)
{
    start_heap();
    size_t used = atomic_load(&gca_image->metadata_used_bytes);
    ck_assert_ptr_null(metadata_take(gca_image->metadata_limit_bytes + 1));
    ck_assert_uint_eq(atomic_load(&gca_image->metadata_used_bytes), used);
    ck_assert_ptr_nonnull(metadata_take(64));
}
END_TEST

/* Writing past the end of a block must never reach a table. */
START_TEST(metadata_lies_apart_from_blocks)
{
    start_heap();
    uintptr_t piece = (uintptr_t)metadata_take(64);
    ck_assert_uint_ge(piece, gca_image->metadata_start);
    ck_assert_uint_lt(piece,
                      gca_image->metadata_start + atomic_load(&gca_image->metadata_used_bytes));
    ck_assert_uint_ge(gca_image->slots_start,
                      gca_image->metadata_start + gca_image->metadata_limit_bytes + 65536);
    ck_assert_uint_ge(gca_image->metadata_start,
                      gca_image->units_start + gca_image->unit_limit * sizeof(struct unit) + 65536);
}
END_TEST

static TCase *metadata(void)
{
    TCase *tests = tcase_create("metadata");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, pieces_are_zero_and_apart);
    tcase_add_test(tests, threads_may_take_at_the_same_time);
    tcase_add_test(tests, a_piece_comes_back_for_the_same_size);
    tcase_add_test(tests, free_bytes_are_counted);
    tcase_add_test(tests, too_much_is_refused_and_harms_nothing);
    tcase_add_test(tests, metadata_lies_apart_from_blocks);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {metadata};
    return suite_run("heap/metadata", makers, 1);
}
