/* heap/runs: taking and giving back against an array of units that is searched unit by unit. */
#include "heap/runs.h"
#include "base/bits.h"
#include "heap/layout.h"
#include "os/memory.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { UNITS = 4096, RUNS = 200 };

static struct {
    bool is_free[UNITS];
    bool dirty[UNITS];
    size_t used;
} model;

static bool fits(size_t first, size_t count, bool want_dirty, bool want_clean)
{
    for (size_t i = first; i < first + count; i++)
        if (i >= model.used || !model.is_free[i] || (want_dirty && !model.dirty[i]) ||
            (want_clean && model.dirty[i]))
            return false;
    return true;
}

static size_t first_fit(size_t count, bool want_dirty, bool want_clean)
{
    for (size_t first = 0; first + count <= model.used; first++)
        if (fits(first, count, want_dirty, want_clean))
            return first;
    return SIZE_MAX;
}

/* Behind the last taken unit. */
static size_t at_the_end(void)
{
    size_t first = model.used;
    while (first > 0 && model.is_free[first - 1])
        first--;
    return first;
}

static size_t predict(size_t count, size_t align_units, enum run_preference preference)
{
    size_t wide = count + align_units - 1;
    bool clean = preference == RUN_CLEAN_FIRST;
    size_t first = first_fit(wide, !clean, clean);
    if (first == SIZE_MAX && !clean)
        first = first_fit(wide, false, false);
    if (first == SIZE_MAX)
        first = at_the_end();
    while (unit_start(first) % (align_units << UNIT_SHIFT) != 0)
        first++;
    return first;
}

/* Units that a taken run passes over when the heap grows are free and clean. */
static void model_take(size_t first, size_t count, size_t used)
{
    for (size_t i = model.used; i < used; i++) {
        model.is_free[i] = true;
        model.dirty[i] = false;
    }
    model.used = used;
    for (size_t i = first; i < first + count; i++)
        model.is_free[i] = false;
}

static size_t used_now(void)
{
    return atomic_load(&gca_image->units_used);
}

static bool is_dirty(size_t unit)
{
    return bitmap_get(layout_unit_maps()->dirty, unit);
}

enum { LONG_RUN = 4 };

/* Whether a unit, free and dirty in the model, has so many such neighbours that its run is worth a kernel call. */
static bool is_in_long_run(size_t unit)
{
    size_t first = unit, end = unit + 1;
    while (first > 0 && model.is_free[first - 1] && model.dirty[first - 1])
        first--;
    while (end < model.used && model.is_free[end] && model.dirty[end])
        end++;
    return end - first >= LONG_RUN;
}

/* Long runs go first, and of these what lies highest. Afterwards the model knows what was purged. */
static void follow_purge(void)
{
    static bool purged[UNITS];
    size_t lowest_purged = SIZE_MAX, highest_kept = 0, dirty = 0;
    for (size_t i = 0; i < model.used; i++) {
        purged[i] = model.is_free[i] && model.dirty[i] && !is_dirty(i);
        dirty += model.is_free[i] && is_dirty(i);
        if (!model.is_free[i] || !model.dirty[i] || !is_in_long_run(i))
            continue;
        if (!purged[i])
            highest_kept = i;
        else if (lowest_purged == SIZE_MAX)
            lowest_purged = i;
    }
    for (size_t i = 0; i < model.used; i++)
        model.dirty[i] &= !purged[i];
    ck_assert(lowest_purged == SIZE_MAX || highest_kept <= lowest_purged);
    ck_assert_uint_eq(units_dirty(), dirty);
}

static void expect_as_model(void)
{
    size_t wrong = 0, taken = 0;
    ck_assert_uint_eq(used_now(), model.used);
    for (size_t i = 0; i < model.used; i++) {
        wrong += bitmap_get(layout_unit_maps()->free, i) != model.is_free[i];
        wrong += is_dirty(i) != model.dirty[i];
        taken += !model.is_free[i];
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(units_taken(), taken);
    run_lock();
    const char *problem = run_verify();
    run_unlock();
    ck_assert_msg(problem == NULL, "%s", problem);
}

/* A clean unit reads as zero; afterwards this one does not. */
static void use_units(size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        uint64_t *word = (uint64_t *)unit_start(i) + i % 100;
        ck_assert_msg(model.dirty[i] || *word == 0, "unit %zu is clean but not zero", i);
        *word = i + 1;
        model.dirty[i] = true;
    }
    set_dirty(first, count);
}

struct run {
    size_t first;
    size_t count;
};

static void take_run(struct run *run, struct random *random)
{
    size_t count = 1 + random_below(random, random_below(random, 4) == 0 ? 70 : 9);
    size_t align_units = (size_t)1 << (random_below(random, 4) == 0 ? random_below(random, 6) : 0);
    enum run_preference preference =
        random_below(random, 3) == 0 ? RUN_CLEAN_FIRST : RUN_DIRTY_FIRST;
    size_t expected = predict(count, align_units, preference);
    size_t first = run_take(count, align_units, preference);
    ck_assert_uint_eq(first, expected);
    *run = (struct run){first, count};
    model_take(first, count, used_now());
    if (random_below(random, 3) != 0)
        use_units(first, count);
}

static void put_run(struct run *run)
{
    for (size_t i = run->first; i < run->first + run->count; i++)
        model.is_free[i] = true;
    put_units(run->first, run->count);
    run->count = 0;
    follow_purge();
}

START_TEST(every_run_is_where_the_model_has_it)
{
    struct random random = {(uint64_t)_i};
    struct run runs[RUNS] = {0};
    start_heap();
    for (int round = 0; round < 4000; round++) {
        struct run *run = &runs[random_below(&random, RUNS)];
        if (run->count == 0)
            take_run(run, &random);
        else
            put_run(run);
        if (round % 16 == 0)
            expect_as_model();
    }
    for (int i = 0; i < RUNS; i++)
        if (runs[i].count != 0)
            put_run(&runs[i]);
    expect_as_model();
    ck_assert_uint_eq(units_taken(), 0);
}
END_TEST

START_TEST(taking_at_a_place_needs_all_of_it_free)
{
    start_heap();
    ck_assert_uint_eq(run_take(10, 1, RUN_DIRTY_FIRST), 0);
    put_units(4, 3);
    ck_assert(!run_take_at(3, 2));
    ck_assert(!run_take_at(6, 2));
    ck_assert(!run_take_at(4, 7));
    ck_assert(run_take_at(4, 3));
    ck_assert(!run_take_at(5, 1));
    ck_assert(run_take_at(10, 5)); /* where the heap ends it grows */
    ck_assert_uint_eq(used_now(), 15);
    put_units(13, 2);
    ck_assert(run_take_at(13, 7)); /* half of it beyond the end */
    ck_assert_uint_eq(used_now(), 20);
    ck_assert(!run_take_at(21, 1)); /* a gap would be neither free nor taken */
    ck_assert_uint_eq(units_taken(), 20);
}
END_TEST

START_TEST(more_than_there_is_room_for_is_refused)
{
    start_heap();
    size_t limit = gca_image->unit_limit;
    ck_assert_uint_eq(run_take(limit + 1, 1, RUN_DIRTY_FIRST), SIZE_MAX);
    ck_assert_uint_eq(run_take(SIZE_MAX / 2, 1, RUN_CLEAN_FIRST), SIZE_MAX);
    ck_assert(!run_take_at(0, limit + 1));
    ck_assert_uint_eq(units_taken(), 0);
    ck_assert_uint_eq(run_take(3, 1, RUN_CLEAN_FIRST), 0);
    ck_assert(!run_take_at(limit - 1, 1));
}
END_TEST

START_TEST(refused_memory_changes_nothing)
{
    start_heap();
    ck_assert_uint_eq(run_take(5, 1, RUN_DIRTY_FIRST), 0);
    os_memory_fail(0, 1);
    size_t refused = run_take(5000, 1, RUN_DIRTY_FIRST);
    bool refused_place = run_take_at(5, 5000);
    os_memory_fail(0, 0);
    ck_assert_uint_eq(refused, SIZE_MAX);
    ck_assert(!refused_place);
    ck_assert_uint_eq(used_now(), 5);
    ck_assert_uint_eq(units_taken(), 5);
    ck_assert_uint_eq(run_take(5000, 1, RUN_DIRTY_FIRST), 5);
}
END_TEST

START_TEST(stretches_of_dirty_units_are_found)
{
    size_t end;
    start_heap();
    ck_assert_uint_eq(run_take(300, 1, RUN_DIRTY_FIRST), 0);
    set_dirty(10, 5);
    set_dirty(60, 100);
    set_dirty(299, 1);
    ck_assert_uint_eq(run_find(0, 300, true, &end), 10);
    ck_assert_uint_eq(end, 15);
    ck_assert_uint_eq(run_find(15, 300, true, &end), 60);
    ck_assert_uint_eq(end, 160);
    ck_assert_uint_eq(run_find(100, 120, true, &end), 100);
    ck_assert_uint_eq(end, 120);
    ck_assert_uint_eq(run_find(160, 300, true, &end), 299);
    ck_assert_uint_eq(end, 300);
    ck_assert_uint_eq(run_find(160, 299, true, &end), 299);
    ck_assert_uint_eq(run_find(10, 300, false, &end), 15);
    ck_assert_uint_eq(end, 60);
}
END_TEST

static void take_and_dirty(size_t count)
{
    ck_assert_uint_ne(run_take(count, 1, RUN_DIRTY_FIRST), SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        *(volatile char *)unit_start(i) = 1;
    set_dirty(0, count);
}

static size_t resident_units(size_t count)
{
    size_t resident = 0;
    unsigned char page;
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(mincore((void *)unit_start(i), os_page_bytes(), &page), 0);
        resident += page & 1;
    }
    return resident;
}

static size_t base_budget(size_t live)
{
    size_t least = options_now()->dirty_min >> UNIT_SHIFT;
    size_t share = live / options_now()->dirty_share;
    return least > share ? least : share;
}

/* Whatever the program does afterwards, freeing alone brings its pages down to the budget. */
START_TEST(dirty_units_stay_within_the_budget)
{
    enum { COUNT = 4000 };
    start_heap();
    take_and_dirty(COUNT);
    for (size_t i = COUNT; i-- > 0;) {
        put_units(i, 1);
        ck_assert_uint_le(units_dirty(), base_budget(i));
        ck_assert_uint_eq(units_taken(), i);
    }
    ck_assert_uint_gt(units_dirty(), 0);
    ck_assert_uint_eq(resident_units(COUNT), units_dirty());
    ck_assert_uint_eq(atomic_load(&gca_image->purged_bytes), (COUNT - units_dirty()) << UNIT_SHIFT);
}
END_TEST

START_TEST(few_dirty_units_are_all_kept)
{
    start_heap();
    size_t few = options_now()->dirty_min >> UNIT_SHIFT;
    take_and_dirty(few);
    put_units(0, few);
    ck_assert_uint_eq(units_dirty(), few);
    ck_assert_uint_eq(resident_units(few), few);
    ck_assert_uint_eq(run_purge_all(), few << UNIT_SHIFT);
    ck_assert_uint_eq(units_dirty(), 0);
    ck_assert_uint_eq(resident_units(few), 0);
}
END_TEST

/* A program that frees and takes the same amount over and over soon keeps its pages. */
START_TEST(the_budget_rises_for_what_is_taken_again)
{
    enum { COUNT = 500 };
    start_heap();
    uint64_t purges = 0;
    for (int round = 0; round < 12; round++) {
        purges = atomic_load(&gca_image->purge_calls);
        take_and_dirty(COUNT);
        put_units(0, COUNT);
        ck_assert_uint_le(units_dirty(), COUNT);
    }
    ck_assert_uint_eq(atomic_load(&gca_image->purge_calls), purges);
    ck_assert_uint_gt(purges, 0);
}
END_TEST

static TCase *runs(void)
{
    TCase *tests = tcase_create("runs");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, every_run_is_where_the_model_has_it, 0, 6);
    tcase_add_test(tests, taking_at_a_place_needs_all_of_it_free);
    tcase_add_test(tests, more_than_there_is_room_for_is_refused);
    tcase_add_test(tests, refused_memory_changes_nothing);
    tcase_add_test(tests, stretches_of_dirty_units_are_found);
    tcase_add_test(tests, dirty_units_stay_within_the_budget);
    tcase_add_test(tests, few_dirty_units_are_all_kept);
    tcase_add_test(tests, the_budget_rises_for_what_is_taken_again);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {runs};
    return suite_run("heap/runs", makers, 1);
}
