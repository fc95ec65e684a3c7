/* own/pool, own/handle, own/alloc: objects of one size, handles that go stale, and allocators as values. */
#include "gcalloc/alloc.h"
#include "heap/lookup.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <errno.h>
#include <string.h>

static gca_pool *make(size_t object_bytes, size_t align_bytes)
{
    gca_pool *pool = gca_pool_new(&(gca_pool_options){.object_bytes = object_bytes, .align_bytes = align_bytes});
    ck_assert_ptr_nonnull(pool);
    return pool;
}

static gca_pool_stats stats_of(const gca_pool *pool)
{
    gca_pool_stats stats;
    gca_pool_get_stats(pool, &stats);
    return stats;
}

/* ---- pools ---- */

enum { OBJECTS = 3000 };

static const struct shape {
    size_t object_bytes;
    size_t align_bytes;
} shapes[] = {{1, 0}, {2, 0}, {3, 0}, {8, 0}, {12, 4}, {24, 0}, {40, 64}, {100, 0}, {1000, 4096}, {5000, 0}, {16384, 16}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Against a model: which objects are out, and what they hold. */
START_TEST(objects_are_apart_and_come_back)
{
    static unsigned char *out[OBJECTS];
    struct shape shape = shapes[_i];
    struct random random = {(uint64_t)_i};
    size_t held = 0, limit = shape.object_bytes > 1000 ? OBJECTS / 20 : OBJECTS;
    gca_pool *pool = make(shape.object_bytes, shape.align_bytes);
    size_t align_bytes = stats_of(pool).align_bytes;
    for (int step = 0; step < 40000; step++) {
        bool grows = random_below(&random, 100) < (step / 10000 % 2 == 0 ? 70u : 30u);
        if (grows && held < limit) {
            out[held] = gca_pool_get(pool);
            hot_assert(out[held] != NULL && (uintptr_t)out[held] % align_bytes == 0, "aligned");
            memset(out[held], (int)held % 251, shape.object_bytes);
            held++;
        } else if (!grows && held != 0) {
            held--;
            hot_assert(out[held][0] == held % 251 && out[held][shape.object_bytes - 1] == held % 251, "alone");
            gca_pool_put(pool, out[held]);
        }
    }
    for (size_t i = 0; i < held; i++)
        hot_assert(out[i][0] == i % 251 && gca_pool_of(out[i]) == pool, "alone");
    ck_assert_uint_eq(stats_of(pool).objects, held);
    expect_sound_heap();
    gca_pool_free(pool);
    ck_assert_uint_eq(chunks_of_heap(), 0);
    expect_sound_heap();
}
END_TEST

START_TEST(what_comes_back_is_used_again)
{
    gca_pool *pool = make(64, 0);
    void *objects[1000];
    for (int i = 0; i < 1000; i++)
        objects[i] = gca_pool_get(pool);
    size_t capacity_bytes = stats_of(pool).capacity_bytes;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 1000; i++)
            gca_pool_put(pool, objects[i]);
        for (int i = 0; i < 1000; i++)
            objects[i] = gca_pool_get(pool);
    }
    ck_assert_uint_eq(stats_of(pool).capacity_bytes, capacity_bytes);
    ck_assert_uint_ge(stats_of(pool).capacity, 1000);
    gca_pool_free(pool);
}
END_TEST

/* Chunks of 1 MiB, which cross a granule's border, where most units say nothing. */
START_TEST(objects_of_large_chunks_come_back)
{
    gca_pool *pool = make(4096, 0);
    static void *objects[4000];
    for (int i = 0; i < 4000; i++)
        hot_assert((objects[i] = gca_pool_get(pool)) != NULL, "had");
    for (int i = 0; i < 4000; i++)
        gca_pool_put(pool, objects[i]);
    ck_assert_uint_eq(stats_of(pool).objects, 0);
    gca_pool_free(pool);
    expect_sound_heap();
}
END_TEST

START_TEST(a_limit_holds)
{
    gca_pool *pool = gca_pool_new(&(gca_pool_options){.object_bytes = 8, .objects_max = 3});
    void *first = gca_pool_get(pool);
    ck_assert_ptr_nonnull(gca_pool_get(pool));
    ck_assert_ptr_nonnull(gca_pool_get(pool));
    errno = 0;
    ck_assert_ptr_null(gca_pool_get(pool));
    ck_assert_int_eq(errno, ENOMEM);
    gca_pool_put(pool, first);
    gca_pool_put(pool, NULL);
    ck_assert_ptr_eq(gca_pool_get(pool), first);
    gca_pool_free(pool);
    gca_pool_free(NULL);
}
END_TEST

START_TEST(wrong_shapes_are_refused)
{
    static const struct shape wrong[] = {{0, 0}, {65537, 0}, {8, 3}, {8, 8192}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        errno = 0;
        ck_assert_ptr_null(gca_pool_new(&(gca_pool_options){.object_bytes = wrong[i].object_bytes,
                                                            .align_bytes = wrong[i].align_bytes}));
        ck_assert_int_eq(errno, EINVAL);
    }
    gca_pool_free(make(65536, 4096));
}
END_TEST

static unsigned dropped;

static void drop(void *object)
{
    dropped += *(unsigned *)object;
}

START_TEST(what_is_out_is_dropped_at_the_end)
{
    gca_pool *pool = gca_pool_new(&(gca_pool_options){.object_bytes = sizeof(unsigned), .drop = drop});
    unsigned *objects[5000];
    for (unsigned i = 0; i < 5000; i++)
        *(objects[i] = gca_pool_get(pool)) = 1;
    for (unsigned i = 0; i < 5000; i += 5)
        gca_pool_put(pool, objects[i]);
    gca_pool_free(pool);
    ck_assert_uint_eq(dropped, 4000);
    ck_assert_ptr_null(gca_pool_of(objects[1]));
}
END_TEST

/* ---- handles ---- */

START_TEST(a_handle_means_its_object_until_it_leaves)
{
    int things[3];
    gca_handles *table = gca_handles_new(0);
    gca_handle first = gca_handle_add(table, &things[0]);
    gca_handle second = gca_handle_add(table, &things[1]);
    ck_assert_ptr_eq(gca_handle_get(table, first), &things[0]);
    ck_assert_ptr_eq(gca_handle_get(table, second), &things[1]);
    ck_assert_uint_eq(gca_handles_count(table), 2);
    ck_assert_ptr_eq(gca_handle_replace(table, second, &things[2]), &things[1]);
    ck_assert_ptr_eq(gca_handle_remove(table, first), &things[0]);
    ck_assert_ptr_null(gca_handle_get(table, first));
    ck_assert_ptr_null(gca_handle_remove(table, first));
    ck_assert_ptr_null(gca_handle_replace(table, first, &things[0]));
    gca_handle third = gca_handle_add(table, &things[0]);
    ck_assert_ptr_null(gca_handle_get(table, first));
    ck_assert_ptr_eq(gca_handle_get(table, third), &things[0]);
    ck_assert_ptr_eq(gca_handle_get(table, second), &things[2]);
    ck_assert_ptr_null(gca_handle_get(table, (gca_handle){0}));
    ck_assert_ptr_null(gca_handle_get(table, (gca_handle){UINT64_MAX}));
    gca_handles_free(table);
    gca_handles_free(NULL);
    ck_assert_uint_eq(chunks_of_heap(), 0);
}
END_TEST

enum { HANDLES = 50000 };

START_TEST(stale_handles_never_resolve)
{
    static gca_handle live[HANDLES], stale[HANDLES];
    static char objects[HANDLES];
    static uint32_t object_of[HANDLES];
    size_t live_count = 0, stale_count = 0;
    struct random random = {3};
    gca_handles *table = gca_handles_new(0);
    for (uint32_t step = 0; step < 400000; step++) {
        if (random_below(&random, 100) < 55 && live_count < HANDLES) {
            object_of[live_count] = step % HANDLES;
            live[live_count] = gca_handle_add(table, &objects[step % HANDLES]);
            hot_assert(live[live_count].word != 0, "added");
            live_count++;
        } else if (live_count != 0) {
            size_t i = random_below(&random, live_count);
            hot_assert(gca_handle_remove(table, live[i]) == &objects[object_of[i]], "its object");
            stale[stale_count++ % HANDLES] = live[i];
            live[i] = live[--live_count];
            object_of[i] = object_of[live_count];
        }
    }
    for (size_t i = 0; i < live_count; i++)
        hot_assert(gca_handle_get(table, live[i]) == &objects[object_of[i]], "its object");
    for (size_t i = 0; i < HANDLES && i < stale_count; i++)
        hot_assert(gca_handle_get(table, stale[i]) == NULL, "stale");
    ck_assert_uint_eq(gca_handles_count(table), live_count);
    gca_handles_free(table);
    expect_sound_heap();
}
END_TEST

/* An entry whose generations are used up is never used again. */
START_TEST(generations_do_not_come_around)
{
    int thing;
    gca_handles *table = gca_handles_new(0);
    gca_handle handle = gca_handle_add(table, &thing);
    uint32_t index = (uint32_t)handle.word;
    table->entries[index].generation = UINT32_MAX;
    gca_handle last = {(uint64_t)UINT32_MAX << 32 | index};
    ck_assert_ptr_eq(gca_handle_remove(table, last), &thing);
    for (int i = 0; i < 100; i++) {
        gca_handle other = gca_handle_add(table, &thing);
        ck_assert_uint_ne((uint32_t)other.word, index);
    }
    ck_assert_ptr_null(gca_handle_get(table, handle));
    ck_assert_ptr_null(gca_handle_get(table, last));
    gca_handles_free(table);
}
END_TEST

START_TEST(a_table_may_be_full)
{
    int thing;
    gca_handles *table = gca_handles_new(2);
    gca_handle first = gca_handle_add(table, &thing);
    ck_assert_uint_ne(gca_handle_add(table, &thing).word, 0);
    errno = 0;
    ck_assert_uint_eq(gca_handle_add(table, &thing).word, 0);
    ck_assert_int_eq(errno, ENOMEM);
    gca_handle_remove(table, first);
    ck_assert_uint_ne(gca_handle_add(table, &thing).word, 0);
    gca_handles_free(table);
}
END_TEST

/* ---- allocators ---- */

/* A block that grows and shrinks, on any allocator that serves all sizes. */
static void expect_allocator(const gca_alloc *from, size_t align_bytes)
{
    struct random random = {align_bytes};
    size_t size_bytes = 0;
    unsigned char *block = NULL;
    for (unsigned i = 0; i < 60; i++) {
        size_t wanted = 1 + random_below(&random, 600);
        block = gca_alloc_resize(from, block, size_bytes, wanted, align_bytes);
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_eq((uintptr_t)block % align_bytes, 0);
        if (i != 0)
            hot_assert(block[0] == (i - 1) % 256 && (wanted < size_bytes || block[size_bytes - 1] == (i - 1) % 256), "kept");
        memset(block, (int)i % 256, wanted);
        size_bytes = wanted;
    }
    gca_alloc_put(from, block, size_bytes);
    gca_alloc_put(from, NULL, 0);
    block = gca_alloc_get(from, 10, align_bytes);
    ck_assert_ptr_nonnull(block);
    gca_alloc_put(from, block, 10);
}

START_TEST(the_heap_serves)
{
    gca_alloc from = gca_alloc_system();
    for (size_t align_bytes = 1; align_bytes <= 65536; align_bytes *= 4)
        expect_allocator(&from, align_bytes);
    ck_assert_ptr_null(gca_alloc_get(&from, SIZE_MAX - 8, 16));
    void *block = gca_alloc_get(&from, 100, 16);
    ck_assert_uint_ge(lookup_usable_size(block), 100);
    heap_free(block);
    expect_sound_heap();
}
END_TEST

START_TEST(an_arena_serves)
{
    gca_arena *arena = gca_arena_new(NULL);
    gca_alloc from = gca_alloc_arena(arena);
    for (size_t align_bytes = 1; align_bytes <= 4096; align_bytes *= 4)
        expect_allocator(&from, align_bytes);
    char *block = gca_alloc_get(&from, 10, 1);
    ck_assert_ptr_eq(gca_alloc_resize(&from, block, 10, 50, 1), block);
    gca_alloc_put(&from, block, 50);
    ck_assert_ptr_eq(gca_alloc_get(&from, 10, 1), block);
    gca_arena_free(arena);
    expect_sound_heap();
}
END_TEST

START_TEST(a_pool_serves_its_size)
{
    gca_pool *pool = make(100, 4);
    gca_alloc from = gca_alloc_pool(pool);
    void *block = gca_alloc_get(&from, 60, 4);
    ck_assert_ptr_nonnull(block);
    ck_assert_ptr_eq(gca_alloc_resize(&from, block, 60, 100, 4), block);
    errno = 0;
    ck_assert_ptr_null(gca_alloc_resize(&from, block, 100, 101, 4));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_ptr_null(gca_alloc_get(&from, 8, 8));
    gca_alloc_put(&from, block, 100);
    ck_assert_uint_eq(stats_of(pool).objects, 0);
    gca_pool_free(pool);
}
END_TEST

START_TEST(a_stack_serves_until_it_is_full)
{
    char buffer[100000];
    gca_stack stack = gca_stack_on(buffer, sizeof buffer);
    gca_alloc from = gca_alloc_stack(&stack);
    for (size_t align_bytes = 1; align_bytes <= 256; align_bytes *= 4)
        expect_allocator(&from, align_bytes);
    char *before = stack.next;
    void *block = gca_alloc_get(&from, (size_t)(stack.limit - stack.next), 1);
    ck_assert_ptr_eq(block, before);
    errno = 0;
    ck_assert_ptr_null(gca_alloc_get(&from, 1, 1));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_ptr_null(gca_alloc_get(&from, SIZE_MAX, 64));
}
END_TEST

/* The limit of locked memory may be small, or none at all be allowed. */
START_TEST(pinned_pages_are_there_or_refused)
{
    gca_alloc from = gca_alloc_pinned(0);
    errno = 0;
    char *block = gca_alloc_get(&from, 10000, 16);
    if (block == NULL) {
        ck_assert_int_eq(errno, ENOMEM);
        return;
    }
    memset(block, 1, 10000);
    ck_assert_ptr_eq(gca_alloc_resize(&from, block, 10000, 12000, 16), block);
    gca_alloc_put(&from, block, 12000);
    ck_assert_ptr_null(gca_alloc_get(&from, (size_t)1 << 62, 16));
    gca_alloc huge = gca_alloc_pinned(GCA_PINNED_HUGE);
    block = gca_alloc_get(&huge, 10, 16);
    if (block != NULL)
        ck_assert_uint_eq((uintptr_t)block % (2 << 20), 0);
    gca_alloc_put(&huge, block, 10);
}
END_TEST

static TCase *pools(void)
{
    TCase *tests = tcase_create("pools");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, objects_are_apart_and_come_back, 0, SHAPES);
    tcase_add_test(tests, what_comes_back_is_used_again);
    tcase_add_test(tests, objects_of_large_chunks_come_back);
    tcase_add_test(tests, a_limit_holds);
    tcase_add_test(tests, wrong_shapes_are_refused);
    tcase_add_test(tests, what_is_out_is_dropped_at_the_end);
    return tests;
}

static TCase *handles(void)
{
    TCase *tests = tcase_create("handles");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_handle_means_its_object_until_it_leaves);
    tcase_add_test(tests, stale_handles_never_resolve);
    tcase_add_test(tests, generations_do_not_come_around);
    tcase_add_test(tests, a_table_may_be_full);
    return tests;
}

static TCase *allocators(void)
{
    TCase *tests = tcase_create("allocators");
    tcase_add_test(tests, the_heap_serves);
    tcase_add_test(tests, an_arena_serves);
    tcase_add_test(tests, a_pool_serves_its_size);
    tcase_add_test(tests, a_stack_serves_until_it_is_full);
    tcase_add_test(tests, pinned_pages_are_there_or_refused);
    return tests;
}

int main(void)
{
    return suite_run("own/pool", (test_case_maker *[]){pools, handles, allocators}, 3);
}
