/*
 * preload/conformance/heap_api: the public functions of gcalloc/heap.h, called by a program that
 * links the library.
 */
#include "support/opaque.h"
#include "support/pattern.h"
#include "support/suite.h"

#include <errno.h>
#include <gcalloc/heap.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 1000 };
static char *blocks[BLOCKS];
static int static_data;

static size_t size_of_block(int i)
{
    return (size_t)i * 97 % 5000 + 1;
}

static void take_blocks(void)
{
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = malloc(size_of_block(i));
}

static void drop_blocks(void)
{
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

START_TEST(version_is_three_numbers)
{
    int major, minor, patch, end = 0;
    const char *version = gca_version();

    ck_assert_int_eq(sscanf(version, "%d.%d.%d%n", &major, &minor, &patch, &end), 3);
    ck_assert_int_eq(version[end], '\0');
    ck_assert_ptr_eq(version, gca_version());
}
END_TEST

START_TEST(stats_refuse_null)
{
    ck_assert_int_eq(gca_heap_get_stats(opaque(NULL)), -EINVAL);
}
END_TEST

/* Blocks are counted exactly: as many more as were allocated, with their usable bytes. */
START_TEST(stats_count_blocks_exactly)
{
    gca_heap_stats before, full, after;
    uint64_t usable = 0;
    char *large;

    ck_assert_int_eq(gca_heap_get_stats(&before), 0);
    take_blocks();
    large = malloc(10 << 20);
    for (int i = 0; i < BLOCKS; i++)
        usable += malloc_usable_size(blocks[i]);
    usable += malloc_usable_size(large);
    ck_assert_int_eq(gca_heap_get_stats(&full), 0);
    ck_assert_uint_eq(full.blocks, before.blocks + BLOCKS + 1);
    ck_assert_uint_eq(full.allocated_bytes, before.allocated_bytes + usable);
    ck_assert_uint_eq(full.large_blocks, before.large_blocks + 1);
    ck_assert_uint_eq(full.large_bytes, before.large_bytes + malloc_usable_size(large));
    free(large);
    drop_blocks();
    ck_assert_int_eq(gca_heap_get_stats(&after), 0);
    ck_assert_uint_eq(after.blocks, before.blocks);
    ck_assert_uint_eq(after.allocated_bytes, before.allocated_bytes);
    ck_assert_uint_eq(after.large_blocks, before.large_blocks);
}
END_TEST

START_TEST(stats_are_consistent)
{
    gca_heap_stats stats;

    take_blocks();
    ck_assert_int_eq(gca_heap_get_stats(&stats), 0);
    drop_blocks();
    ck_assert_uint_ge(stats.span_bytes, stats.allocated_bytes);
    ck_assert_uint_ge(stats.committed_bytes, stats.allocated_bytes);
    ck_assert_uint_ge(stats.reserved_bytes, stats.committed_bytes);
    ck_assert_uint_ge(stats.allocated_bytes, stats.large_bytes);
    ck_assert_uint_ge(stats.span_bytes, stats.allocated_bytes + stats.free_slot_bytes);
    ck_assert_uint_gt(stats.metadata_bytes, 0);
    ck_assert_uint_ge(stats.spans, 1);
    ck_assert_uint_ge(stats.threads, 1);
}
END_TEST

START_TEST(class_stats_count_blocks_exactly)
{
    size_t count = gca_heap_get_class_stats(NULL, 0);
    gca_class_stats before[256], full[256];
    uint64_t more = 0;

    ck_assert_uint_gt(count, 10);
    ck_assert_uint_le(count, 256);
    ck_assert_uint_eq(gca_heap_get_class_stats(before, 256), count);
    take_blocks();
    ck_assert_uint_eq(gca_heap_get_class_stats(full, 256), count);
    for (size_t i = 0; i < count; i++) {
        ck_assert(i == 0 || full[i].slot_bytes > full[i - 1].slot_bytes);
        ck_assert_uint_ge(full[i].slots, full[i].blocks);
        more += full[i].blocks - before[i].blocks;
    }
    ck_assert_uint_eq(more, BLOCKS);
    drop_blocks();
}
END_TEST

/* No more rows are written than there is room for. */
START_TEST(class_stats_stop_at_the_row_count)
{
    gca_class_stats rows[3];

    memset(rows, 0xee, sizeof rows);
    ck_assert_uint_gt(gca_heap_get_class_stats(rows, 2), 2);
    ck_assert_uint_lt(rows[0].slot_bytes, rows[1].slot_bytes);
    ck_assert_uint_eq(rows[2].slot_bytes, 0xeeeeeeeeu);
}
END_TEST

START_TEST(is_block_knows_starts_only)
{
    static const size_t sizes[] = {1, 16, 100, 1000, 40000, 100000, 5 << 20};
    int on_stack;

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *block = malloc(sizes[i]), *former = opaque(block);

        ck_assert(gca_is_block(block));
        ck_assert(!gca_is_block(block + 1));
        ck_assert(!gca_is_block(block + malloc_usable_size(block) / 2));
        ck_assert(gca_is_ours(block) && gca_is_ours(block + 1));
        free(block);
        ck_assert(!gca_is_block(former));
        ck_assert(gca_is_ours(former));
    }
    ck_assert(!gca_is_block(&on_stack) && !gca_is_ours(&on_stack));
    ck_assert(!gca_is_block(&static_data) && !gca_is_ours(&static_data));
    ck_assert(!gca_is_block(opaque(NULL)) && !gca_is_ours(opaque(NULL)));
    ck_assert(!gca_is_block((void *)16) && !gca_is_ours((void *)-1));
}
END_TEST

START_TEST(usable_size_is_zero_for_what_is_no_block)
{
    char *block = malloc(200), *former = opaque(block);
    int on_stack;

    ck_assert_uint_eq(gca_usable_size(block), malloc_usable_size(block));
    ck_assert_uint_eq(gca_usable_size(block + 16), 0);
    free(block);
    ck_assert_uint_eq(gca_usable_size(former), 0);
    ck_assert_uint_eq(gca_usable_size(&on_stack), 0);
    ck_assert_uint_eq(gca_usable_size(NULL), 0);
}
END_TEST

START_TEST(block_of_finds_the_start_from_inside)
{
    static const size_t sizes[] = {1,     16,    24,     100,     1000,   4097,
                                   40000, 65537, 200000, 5 << 20, 9 << 20};

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *block = malloc(sizes[i]), *former = opaque(block);
        size_t usable = malloc_usable_size(block), found = 0;

        for (size_t offset = 0; offset < usable; offset += usable / 53 + 1) {
            ck_assert_ptr_eq(gca_block_of(block + offset, &found), block);
            ck_assert_uint_eq(found, usable);
        }
        ck_assert_ptr_eq(gca_block_of(block + usable - 1, NULL), block);
        ck_assert_ptr_ne(gca_block_of(block + usable, NULL), block);
        free(block);
        found = 4711;
        ck_assert_ptr_null(gca_block_of(former, &found));
        ck_assert_uint_eq(found, 4711);
    }
    ck_assert_ptr_null(gca_block_of(&static_data, NULL));
    ck_assert_ptr_null(gca_block_of(opaque(NULL), NULL));
}
END_TEST

START_TEST(leaf_blocks_are_blocks)
{
    for (size_t size = 0; size < 3000000; size = size * 5 / 4 + 1) {
        char *block = gca_alloc_leaf(size);

        ck_assert(gca_is_block(block));
        ck_assert_uint_ge(malloc_usable_size(block), size);
        pattern_fill(block, size, 9);
        block = realloc(block, size * 2 + 1);
        ck_assert(pattern_holds(block, size, 9));
        free(block);
    }
    errno = 0;
    ck_assert_ptr_null(gca_alloc_leaf(opaque_size(PTRDIFF_MAX)));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_ptr_null(gca_alloc_leaf(opaque_size(SIZE_MAX)));
    ck_assert_int_eq(gca_heap_verify(), 0);
}
END_TEST

struct walk {
    char *previous_end;
    uint64_t blocks, bytes;
    uint64_t stop_after;
    bool seen[BLOCKS];
};

static bool visit(void *block, size_t size_bytes, void *context)
{
    struct walk *walk = context;
    char *start = block;

    if (start < walk->previous_end || size_bytes != malloc_usable_size(block))
        abort();
    walk->previous_end = start + size_bytes;
    walk->bytes += size_bytes;
    for (int i = 0; i < BLOCKS; i++)
        walk->seen[i] = walk->seen[i] || blocks[i] == start;
    return ++walk->blocks != walk->stop_after;
}

START_TEST(walk_visits_each_block_once_in_order)
{
    static struct walk walk;
    gca_heap_stats stats;

    take_blocks();
    ck_assert_int_eq(gca_heap_get_stats(&stats), 0);
    ck_assert_uint_eq(gca_heap_walk(visit, &walk), stats.blocks);
    ck_assert_uint_eq(walk.blocks, stats.blocks);
    ck_assert_uint_eq(walk.bytes, stats.allocated_bytes);
    for (int i = 0; i < BLOCKS; i++)
        ck_assert(walk.seen[i]);
    drop_blocks();
}
END_TEST

START_TEST(walk_stops_when_told)
{
    static struct walk walk = {.stop_after = 7};

    take_blocks();
    ck_assert_uint_eq(gca_heap_walk(visit, &walk), 7);
    drop_blocks();
}
END_TEST

/* What trim reports as returned is what the kernel got back: dirty pages fall by as much. */
START_TEST(trim_returns_free_pages)
{
    gca_heap_stats before, after;
    size_t returned;

    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(20000);
        memset(blocks[i], 1, 20000);
    }
    drop_blocks();
    ck_assert_int_eq(gca_heap_get_stats(&before), 0);
    returned = gca_trim();
    ck_assert_int_eq(gca_heap_get_stats(&after), 0);
    ck_assert_uint_eq(after.dirty_bytes, 0);
    ck_assert_uint_ge(returned, before.dirty_bytes);
    ck_assert_uint_ge(after.purged_bytes, before.purged_bytes + returned);
    ck_assert_int_eq(gca_heap_verify(), 0);
}
END_TEST

static void *take_one_and_wait(void *barrier)
{
    void *block = malloc(100);

    pthread_barrier_wait(barrier);
    pthread_barrier_wait(barrier);
    free(block);
    return NULL;
}

START_TEST(threads_are_counted)
{
    enum { THREADS = 5 };
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    gca_heap_stats before, during, after;

    free(malloc(1));
    ck_assert_int_eq(gca_heap_get_stats(&before), 0);
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_one_and_wait, &barrier), 0);
    pthread_barrier_wait(&barrier);
    ck_assert_int_eq(gca_heap_get_stats(&during), 0);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(gca_heap_get_stats(&after), 0);
    ck_assert_uint_eq(during.threads, before.threads + THREADS);
    ck_assert_uint_eq(after.threads, before.threads);
    ck_assert_uint_ge(after.parked_threads, 1);
    ck_assert_int_eq(gca_heap_verify(), 0);
}
END_TEST

static TCase *heap_api_case(void)
{
    TCase *test_case = tcase_create("heap API");

    tcase_add_test(test_case, version_is_three_numbers);
    tcase_add_test(test_case, stats_refuse_null);
    tcase_add_test(test_case, stats_count_blocks_exactly);
    tcase_add_test(test_case, stats_are_consistent);
    tcase_add_test(test_case, class_stats_count_blocks_exactly);
    tcase_add_test(test_case, class_stats_stop_at_the_row_count);
    tcase_add_test(test_case, is_block_knows_starts_only);
    tcase_add_test(test_case, usable_size_is_zero_for_what_is_no_block);
    tcase_add_test(test_case, block_of_finds_the_start_from_inside);
    tcase_add_test(test_case, leaf_blocks_are_blocks);
    tcase_add_test(test_case, walk_visits_each_block_once_in_order);
    tcase_add_test(test_case, walk_stops_when_told);
    tcase_add_test(test_case, trim_returns_free_pages);
    tcase_add_test(test_case, threads_are_counted);
    return test_case;
}

int main(void)
{
    static test_case_maker *const makers[] = {heap_api_case};

    return suite_run("heap API", makers, 1);
}
