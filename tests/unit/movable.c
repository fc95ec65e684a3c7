/* own/movable: objects reached by handles stay what they are, wherever they are moved. */
#include "gcalloc/movable.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <errno.h>
#include <string.h>

enum { OBJECTS = 4000 };

static gca_handle handles[OBJECTS];
static size_t sizes[OBJECTS];
static void *pinned[OBJECTS];

static void fill(gca_movables *table, int i, size_t size_bytes)
{
    handles[i] = gca_movable_new(table, size_bytes);
    unsigned char *object = gca_movable_get(table, handles[i]);
    hot_assert(object != NULL && (uintptr_t)object % 16 == 0, "aligned");
    for (size_t j = 0; j < size_bytes; j++)
        hot_assert(object[j] == 0, "zero");
    memset(object, i % 251, size_bytes);
    sizes[i] = size_bytes;
    pinned[i] = NULL;
}

static void check(gca_movables *table, int i)
{
    const unsigned char *object = gca_movable_get(table, handles[i]);
    hot_assert(object != NULL, "there");
    hot_assert(pinned[i] == NULL || pinned[i] == object, "pinned ones stay");
    hot_assert(sizes[i] == 0 || (object[0] == i % 251 && object[sizes[i] - 1] == i % 251), "as it was");
}

static gca_movable_stats stats_of(const gca_movables *table)
{
    gca_movable_stats stats;
    gca_movables_get_stats(table, &stats);
    return stats;
}

/* Against a model: made, freed, pinned, compacted, in any order. */
START_TEST(objects_stay_what_they_are)
{
    struct random random = {(uint64_t)_i};
    gca_movables *table = gca_movables_new(0);
    size_t live = 0;
    for (int step = 0; step < 30000; step++) {
        int i = (int)random_below(&random, OBJECTS);
        if (handles[i].word == 0) {
            fill(table, i, random_size(&random, step % 1000 == 0 ? 600000 : 2000));
            live++;
        } else if (random_below(&random, 10) < 6) {
            check(table, i);
            hot_assert(gca_movable_free(table, handles[i]) && !gca_movable_free(table, handles[i]), "once");
            hot_assert(gca_movable_get(table, handles[i]) == NULL, "stale");
            handles[i].word = 0;
            live--;
        } else if (pinned[i] != NULL) {
            gca_movable_unpin(table, handles[i]);
            pinned[i] = NULL;
        } else if (random_below(&random, 20) == 0) {
            pinned[i] = gca_movable_pin(table, handles[i]);
        }
        if (step % 3000 == 0) {
            gca_movables_compact(table);
            for (int j = 0; j < OBJECTS; j++)
                if (handles[j].word != 0)
                    check(table, j);
        }
    }
    ck_assert_uint_eq(stats_of(table).objects, live);
    expect_sound_heap();
    gca_movables_free(table);
    expect_sound_heap();
}
END_TEST

START_TEST(holes_go)
{
    gca_movables *table = gca_movables_new(0);
    for (int i = 0; i < OBJECTS; i++)
        fill(table, i, 1000);
    size_t full_bytes = stats_of(table).capacity_bytes;
    for (int i = 0; i < OBJECTS; i++)
        if (i % 10 != 0)
            gca_movable_free(table, handles[i]);
    ck_assert_uint_eq(stats_of(table).capacity_bytes, full_bytes);
    size_t returned_bytes = gca_movables_compact(table);
    gca_movable_stats stats = stats_of(table);
    ck_assert_uint_gt(returned_bytes, full_bytes / 10 * 8);
    ck_assert_uint_ge(stats.hole_permille_before, 850);
    ck_assert_uint_le(stats.hole_permille_after, 400);
    ck_assert_uint_ge(stats.moved_objects, OBJECTS / 10 - 30);
    for (int i = 0; i < OBJECTS; i += 10)
        check(table, i);
    ck_assert_uint_eq(gca_movables_compact(table), 0);
    for (int i = 0; i < OBJECTS; i += 10)
        gca_movable_free(table, handles[i]);
    ck_assert_uint_eq(stats_of(table).capacity_bytes, 0);
    gca_movables_free(table);
    gca_movables_free(NULL);
    expect_sound_heap();
}
END_TEST

START_TEST(a_pin_holds_its_chunk)
{
    gca_movables *table = gca_movables_new(0);
    for (int i = 0; i < 1000; i++)
        fill(table, i, 1000);
    pinned[5] = gca_movable_pin(table, handles[5]);
    for (int i = 0; i < 1000; i++)
        if (i != 5)
            gca_movable_free(table, handles[i]);
    gca_movables_compact(table);
    check(table, 5);
    ck_assert_uint_eq(stats_of(table).chunks, 1);
    ck_assert_uint_eq(stats_of(table).pins, 1);
    gca_movable_unpin(table, handles[5]);
    pinned[5] = NULL;
    gca_movables_compact(table);
    check(table, 5);
    gca_movables_free(table);
}
END_TEST

START_TEST(a_full_table_refuses)
{
    gca_movables *table = gca_movables_new(2);
    fill(table, 0, 10);
    fill(table, 1, 10);
    errno = 0;
    ck_assert_uint_eq(gca_movable_new(table, 10).word, 0);
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_uint_eq(stats_of(table).objects, 2);
    ck_assert_uint_eq(gca_movable_new(table, SIZE_MAX).word, 0);
    check(table, 0);
    check(table, 1);
    gca_movables_free(table);
}
END_TEST

static TCase *movables(void)
{
    TCase *tests = tcase_create("movable objects");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, objects_stay_what_they_are, 0, 4);
    tcase_add_test(tests, holes_go);
    tcase_add_test(tests, a_pin_holds_its_chunk);
    tcase_add_test(tests, a_full_table_refuses);
    return tests;
}

int main(void)
{
    static test_case_maker *const cases[] = {movables};
    return suite_run("movable", cases, sizeof cases / sizeof *cases);
}
