/* own/arena: what an arena hands out, what its end does, in which order, and what it costs. */
#include "gcalloc/arena.h"
#include "heap/chunk.h"
#include "heap/lookup.h"
#include "heap/statistics.h"
#include "heap/walk.h"
#include "property/random.h"
#include "support/pattern.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <errno.h>
#include <string.h>

enum { KIB = 1024, MIB = KIB * KIB };

static gca_arena *make(const gca_arena_options *options)
{
    gca_arena *arena = gca_arena_new(options);
    ck_assert_ptr_nonnull(arena);
    return arena;
}

static gca_arena_stats stats_of(const gca_arena *arena)
{
    gca_arena_stats stats;
    gca_arena_get_stats(arena, &stats);
    return stats;
}

/* ---- handing out ---- */

START_TEST(objects_are_aligned_and_apart)
{
    gca_arena *arena = make(NULL);
    struct {
        unsigned char *start;
        size_t size_bytes;
    } objects[3000];
    for (unsigned i = 0; i < 3000; i++) {
        size_t size_bytes = 1 + (size_t)i * i % (i % 100 == 99 ? 300 * KIB : 700);
        size_t align_bytes = (size_t)1 << i % 9;
        objects[i].start = gca_arena_alloc_aligned(arena, size_bytes, align_bytes);
        objects[i].size_bytes = size_bytes;
        hot_assert(objects[i].start != NULL && (uintptr_t)objects[i].start % align_bytes == 0, "aligned");
        pattern_fill(objects[i].start, size_bytes, i);
    }
    for (unsigned i = 0; i < 3000; i++)
        hot_assert(pattern_holds(objects[i].start, objects[i].size_bytes, i), "nothing else wrote there");
    expect_sound_heap();
    gca_arena_free(arena);
    expect_sound_heap();
    ck_assert_uint_eq(chunks_of_heap(), 0);
}
END_TEST

START_TEST(alignment_up_to_a_mebibyte)
{
    gca_arena *arena = make(NULL);
    for (size_t align_bytes = 1; align_bytes <= MIB; align_bytes *= 2) {
        char *start = gca_arena_alloc_aligned(arena, 3, align_bytes);
        ck_assert_ptr_nonnull(start);
        ck_assert_uint_eq((uintptr_t)start % align_bytes, 0);
        memset(start, 1, 3);
    }
    errno = 0;
    ck_assert_ptr_null(gca_arena_alloc_aligned(arena, 3, 48));
    ck_assert_int_eq(errno, EINVAL);
    gca_arena_free(arena);
}
END_TEST

START_TEST(a_size_of_nothing_is_an_object_of_its_own)
{
    gca_arena *arena = make(NULL);
    void *first = gca_arena_alloc(arena, 0);
    void *second = gca_arena_alloc(arena, 0);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_ne(first, second);
    gca_arena_free(arena);
    gca_arena_free(NULL);
}
END_TEST

START_TEST(absurd_sizes_fail_and_leave_the_arena_good)
{
    gca_arena *arena = make(NULL);
    for (size_t size_bytes = (size_t)1 << 45; size_bytes != 0; size_bytes *= 2) {
        errno = 0;
        ck_assert_ptr_null(gca_arena_alloc(arena, size_bytes));
        ck_assert_int_eq(errno, ENOMEM);
    }
    ck_assert_ptr_null(gca_arena_alloc(arena, SIZE_MAX));
    ck_assert_ptr_null(gca_arena_alloc(arena, SIZE_MAX - 15));
    volatile size_t too_many = SIZE_MAX / 8; /* which the compiler would warn of */
    ck_assert_ptr_null(gca_arena_array(arena, uint64_t, too_many + 2));
    ck_assert_ptr_null(gca_arena_array(arena, uint64_t, too_many));
    ck_assert_ptr_nonnull(gca_arena_alloc(arena, 100));
    gca_arena_free(arena);
    expect_sound_heap();
}
END_TEST

START_TEST(typed_objects_are_zero)
{
    gca_arena *arena = make(NULL);
    memset(gca_arena_alloc(arena, 9000), 0xff, 9000);
    gca_arena_reset(arena);
    const struct unit *unit = gca_arena_make(arena, struct unit);
    const uint32_t *words = gca_arena_array(arena, uint32_t, 1001);
    ck_assert_uint_eq((uintptr_t)unit % _Alignof(struct unit), 0);
    ck_assert_ptr_null(unit->span);
    for (size_t i = 0; i < 1001; i++)
        hot_assert(words[i] == 0, "zero");
    ck_assert_ptr_nonnull(gca_arena_array(arena, uint32_t, 0));
    gca_arena_free(arena);
}
END_TEST

START_TEST(an_object_larger_than_a_chunk_does_not_end_the_chunk)
{
    gca_arena *arena = make(NULL);
    char *before = gca_arena_alloc(arena, 16);
    char *large = gca_arena_alloc(arena, 5 * MIB);
    char *behind = gca_arena_alloc(arena, 16);
    memset(large, 1, 5 * MIB);
    ck_assert_ptr_eq(behind, before + 16);
    ck_assert_uint_eq(stats_of(arena).chunks, 2);
    gca_arena_reset(arena);
    ck_assert_uint_eq(stats_of(arena).chunks, 1);
    gca_arena_free(arena);
}
END_TEST

START_TEST(a_cursor_hands_out_what_the_arena_would)
{
    gca_arena *arena = make(NULL);
    gca_cursor cursor = gca_cursor_open(arena);
    uint64_t *last = NULL;
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t *object = gca_cursor_make(&cursor, uint64_t);
        *object = i;
        hot_assert(last == NULL || *last == i - 1, "apart");
        last = object;
    }
    char *large = gca_cursor_alloc(&cursor, 9 * MIB, 64);
    ck_assert_uint_eq((uintptr_t)large % 64, 0);
    ck_assert_ptr_null(gca_cursor_alloc(&cursor, SIZE_MAX, 8));
    gca_cursor_close(cursor);
    ck_assert_uint_eq(*last, 99999);
    ck_assert_ptr_eq(gca_arena_alloc_aligned(arena, 8, 8), last + 1);
    ck_assert_uint_ge(stats_of(arena).used_bytes, 800000 + 9 * MIB);
    gca_arena_free(arena);
    expect_sound_heap();
}
END_TEST

/* ---- what the heap thinks of it ---- */

static bool count(void *block, size_t size_bytes, void *context)
{
    (void)block;
    (void)size_bytes;
    ++*(size_t *)context;
    return true;
}

START_TEST(chunks_are_no_blocks)
{
    start_heap();
    void *block = allocate(100);
    gca_arena *arena = make(NULL);
    char *object = gca_arena_alloc(arena, 3 * MIB);
    size_t visited = 0;
    gca_heap_stats stats;
    run_lock();
    ck_assert_int_eq(statistics_collect(image_now, &stats), 0);
    run_unlock();
    ck_assert_uint_eq(heap_walk(count, &visited), 1);
    ck_assert_uint_eq(visited, 1);
    ck_assert_uint_eq(stats.blocks, 1);
    ck_assert_uint_eq(stats.large_blocks, 0);
    ck_assert_uint_eq(stats.chunks, 2);
    ck_assert_uint_ge(stats.chunk_bytes, 3 * MIB);
    ck_assert_uint_ge(stats.span_bytes, stats.chunk_bytes + stats.allocated_bytes);
    ck_assert_uint_eq(lookup_usable_size((void *)((uintptr_t)arena & ~(uintptr_t)(UNIT_BYTES - 1))), 0);
    ck_assert_ptr_eq(gca_arena_of(object), arena);
    ck_assert_ptr_eq(gca_arena_of(object + 2 * MIB + 7), arena);
    ck_assert_ptr_eq(gca_arena_of(arena), arena);
    ck_assert_ptr_null(gca_arena_of(block));
    ck_assert_ptr_null(gca_arena_of(&stats));
    ck_assert_ptr_null(gca_arena_of(NULL));
    gca_arena_free(arena);
    ck_assert_ptr_null(gca_arena_of(object));
    ck_assert_uint_eq(chunks_of_heap(), 0);
    heap_free(block);
    expect_sound_heap();
}
END_TEST

/* Small chunks are kept by the thread; malloc gets them like its own. */
START_TEST(what_an_arena_had_may_become_a_block)
{
    start_heap();
    gca_arena_free(make(NULL));
    void *block = heap_allocate(UNIT_BYTES + 1);
    gca_arena *arena = make(&(gca_arena_options){.first_bytes = 2 * UNIT_BYTES});
    gca_arena_free(arena);
    void *other = heap_allocate(UNIT_BYTES + 1);
    ck_assert_uint_ne(lookup_usable_size(block), 0);
    ck_assert_uint_ne(lookup_usable_size(other), 0);
    ck_assert_ptr_null(gca_arena_of(other));
    heap_free(block);
    heap_free(other);
    expect_sound_heap();
}
END_TEST

/* ---- the end ---- */

static unsigned order[100];
static unsigned ended;

static void note(void *object)
{
    order[ended++] = *(unsigned *)object;
}

static void expect_order(const char *digits)
{
    ck_assert_uint_eq(ended, strlen(digits));
    for (unsigned i = 0; i < ended; i++)
        ck_assert_uint_eq(order[i], (unsigned)(digits[i] - '0'));
    ended = 0;
}

static void defer_note(gca_arena *arena, unsigned number)
{
    unsigned *object = gca_arena_make(arena, unsigned);
    *object = number;
    ck_assert_int_eq(gca_arena_defer(arena, note, object), 0);
}

START_TEST(destructors_run_newest_first)
{
    gca_arena *arena = make(NULL);
    for (unsigned i = 1; i <= 5; i++)
        defer_note(arena, i);
    ck_assert_uint_eq(stats_of(arena).destructors, 5);
    gca_arena_reset(arena);
    expect_order("54321");
    defer_note(arena, 7);
    gca_arena_free(arena);
    expect_order("7");
}
END_TEST

START_TEST(a_rewind_ends_what_is_newer)
{
    gca_arena *arena = make(NULL);
    defer_note(arena, 1);
    gca_mark outer = gca_arena_mark(arena);
    char *first = gca_arena_alloc(arena, 1);
    defer_note(arena, 2);
    gca_mark inner = gca_arena_mark(arena);
    defer_note(arena, 3);
    for (int i = 0; i < 10000; i++)
        gca_arena_alloc(arena, 100);
    gca_arena_alloc(arena, 20 * MIB);
    gca_arena_rewind(arena, inner);
    expect_order("3");
    gca_arena_rewind(arena, inner);
    expect_order("");
    defer_note(arena, 4);
    gca_arena_rewind(arena, outer);
    expect_order("42");
    ck_assert_ptr_eq(gca_arena_alloc(arena, 1), first);
    gca_arena_free(arena);
    expect_order("1");
    expect_sound_heap();
}
END_TEST

static void note_and_defer(void *object)
{
    note(object);
    defer_note(gca_arena_of(object), 9);
}

START_TEST(a_destructor_may_allocate_and_defer)
{
    gca_arena *arena = make(NULL);
    defer_note(arena, 1);
    unsigned *object = gca_arena_make(arena, unsigned);
    *object = 2;
    gca_arena_defer(arena, note_and_defer, object);
    gca_arena_free(arena);
    expect_order("291");
}
END_TEST

START_TEST(sub_arenas_end_in_order_with_destructors)
{
    gca_arena *arena = make(NULL);
    defer_note(arena, 1);
    gca_arena *child = make(&(gca_arena_options){.parent = arena});
    defer_note(arena, 2);
    gca_arena *other = make(&(gca_arena_options){.parent = arena});
    gca_arena *grandchild = make(&(gca_arena_options){.parent = child});
    defer_note(child, 3);
    defer_note(grandchild, 4);
    defer_note(other, 5);
    ck_assert_uint_eq(stats_of(arena).sub_arenas, 2);
    gca_arena_free(other);
    expect_order("5");
    ck_assert_uint_eq(stats_of(arena).sub_arenas, 1);
    gca_arena_free(arena);
    expect_order("2341");
    ck_assert_uint_eq(chunks_of_heap(), 0);
    expect_sound_heap();
}
END_TEST

START_TEST(a_rewind_ends_sub_arenas_that_are_newer)
{
    gca_arena *arena = make(NULL);
    gca_arena *older = make(&(gca_arena_options){.parent = arena});
    gca_mark mark = gca_arena_mark(arena);
    gca_arena *newer = make(&(gca_arena_options){.parent = arena});
    defer_note(newer, 2);
    defer_note(older, 1);
    gca_arena_rewind(arena, mark);
    expect_order("2");
    ck_assert_ptr_eq(gca_arena_of(older), older);
    gca_arena_free(arena);
    expect_order("1");
}
END_TEST

START_TEST(a_scope_ends_its_arena)
{
    for (unsigned i = 1; i <= 3; i++) {
        gca_with_arena(arena);
        defer_note(arena, i);
        if (i == 2)
            continue;
        gca_arena_alloc(arena, 100000);
    }
    expect_order("123");
    ck_assert_uint_eq(chunks_of_heap(), 0);
}
END_TEST

/* ---- what it takes ---- */

START_TEST(a_steady_round_takes_nothing_new)
{
    gca_arena *arena = make(NULL);
    size_t taken = 0;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 20000; i++)
            gca_arena_alloc(arena, 40);
        if (round == 1)
            taken = units_taken();
        ck_assert(round < 2 || units_taken() == taken);
        gca_arena_reset(arena);
    }
    ck_assert_uint_eq(stats_of(arena).resets, 10);
    ck_assert_uint_gt(stats_of(arena).chunks, 1);
    gca_arena_reset(arena);
    ck_assert_uint_eq(stats_of(arena).chunks, 1);
    gca_arena_free(arena);
}
END_TEST

START_TEST(statistics_add_up)
{
    gca_arena *arena = make(&(gca_arena_options){.name = "numbers"});
    struct random random = {7};
    size_t least = 0;
    for (int i = 0; i < 5000; i++) {
        size_t size_bytes = 16 * (1 + random_below(&random, i % 50 == 0 ? 5000 : 20));
        least += size_bytes;
        gca_arena_alloc(arena, size_bytes);
    }
    gca_arena_stats stats = stats_of(arena);
    ck_assert_uint_eq(stats.used_bytes, least);
    ck_assert_uint_eq(stats.charged_bytes, stats.capacity_bytes);
    ck_assert_uint_le(stats.used_bytes + stats.wasted_bytes, stats.capacity_bytes);
    ck_assert_uint_le(stats.wasted_bytes, stats.capacity_bytes / 4);
    gca_arena_free(arena);
}
END_TEST

START_TEST(a_budget_counts_sub_arenas)
{
    gca_arena *arena = make(&(gca_arena_options){.budget_bytes = 200 * KIB});
    gca_arena *child = make(&(gca_arena_options){.parent = arena});
    size_t granted = 0;
    errno = 0;
    while (gca_arena_alloc(child, 1000) != NULL)
        granted += 1008;
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_uint_le(granted, 200 * KIB);
    ck_assert_uint_ge(granted, 120 * KIB);
    ck_assert_uint_le(stats_of(arena).charged_bytes, 216 * KIB);
    ck_assert_ptr_null(gca_arena_alloc(arena, 100 * KIB));
    ck_assert_ptr_null(gca_arena_new(&(gca_arena_options){.parent = arena, .first_bytes = 100 * KIB}));
    gca_arena_free(child);
    ck_assert_ptr_nonnull(gca_arena_alloc(arena, 100 * KIB));
    ck_assert_ptr_null(gca_arena_new(&(gca_arena_options){.budget_bytes = 100}));
    gca_arena_free(arena);
    ck_assert_uint_eq(chunks_of_heap(), 0);
    expect_sound_heap();
}
END_TEST

/* ---- at random ---- */

enum { MARKS = 20, OBJECTS = 4000 };

struct object {
    unsigned char *start;
    size_t size_bytes;
};

/* Marks and rewinds at random: what is older than the mark stays as it is. */
START_TEST(rewinds_at_random_leave_the_rest)
{
    static struct object objects[OBJECTS];
    gca_mark marks[MARKS];
    size_t counts[MARKS], depth = 0, held = 0;
    struct random random = {42};
    gca_arena *arena = make(NULL);
    for (int step = 0; step < 30000; step++) {
        size_t what = random_below(&random, 40);
        if (what == 0 && depth < MARKS) {
            counts[depth] = held;
            marks[depth++] = gca_arena_mark(arena);
        } else if (what == 1 && depth != 0) {
            depth = random_below(&random, depth);
            gca_arena_rewind(arena, marks[depth]);
            held = counts[depth];
        } else if (what > 1 && held < OBJECTS) {
            size_t size_bytes = 1 + random_below(&random, what == 2 ? 200000 : 500);
            objects[held] = (struct object){gca_arena_alloc(arena, size_bytes), size_bytes};
            pattern_fill(objects[held].start, size_bytes, (unsigned)held);
            held++;
        }
        if (step % 300 == 0)
            for (size_t i = 0; i < held; i++)
                hot_assert(pattern_holds(objects[i].start, objects[i].size_bytes, (unsigned)i), "as it was");
        if (held == OBJECTS) {
            gca_arena_reset(arena);
            held = depth = 0;
        }
    }
    gca_arena_free(arena);
    ck_assert_uint_eq(chunks_of_heap(), 0);
    expect_sound_heap();
}
END_TEST

static TCase *handing_out(void)
{
    TCase *tests = tcase_create("handing out");
    tcase_add_test(tests, objects_are_aligned_and_apart);
    tcase_add_test(tests, alignment_up_to_a_mebibyte);
    tcase_add_test(tests, a_size_of_nothing_is_an_object_of_its_own);
    tcase_add_test(tests, absurd_sizes_fail_and_leave_the_arena_good);
    tcase_add_test(tests, typed_objects_are_zero);
    tcase_add_test(tests, an_object_larger_than_a_chunk_does_not_end_the_chunk);
    tcase_add_test(tests, a_cursor_hands_out_what_the_arena_would);
    tcase_add_test(tests, chunks_are_no_blocks);
    tcase_add_test(tests, what_an_arena_had_may_become_a_block);
    return tests;
}

static TCase *ending(void)
{
    TCase *tests = tcase_create("ending");
    tcase_add_test(tests, destructors_run_newest_first);
    tcase_add_test(tests, a_rewind_ends_what_is_newer);
    tcase_add_test(tests, a_destructor_may_allocate_and_defer);
    tcase_add_test(tests, sub_arenas_end_in_order_with_destructors);
    tcase_add_test(tests, a_rewind_ends_sub_arenas_that_are_newer);
    tcase_add_test(tests, a_scope_ends_its_arena);
    tcase_add_test(tests, a_steady_round_takes_nothing_new);
    tcase_add_test(tests, statistics_add_up);
    tcase_add_test(tests, a_budget_counts_sub_arenas);
    tcase_add_test(tests, rewinds_at_random_leave_the_rest);
    return tests;
}

int main(void)
{
    return suite_run("own/arena", (test_case_maker *[]){handing_out, ending}, 2);
}
