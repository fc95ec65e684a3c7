/* heap/lookup and heap/walk: every block is found from every byte of it, and visited once, in address order. */
#include "heap/walk.h"
#include "heap/lookup.h"
#include "heap/span.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 3000 };

static struct live {
    uintptr_t start;
    size_t size_bytes;
} live[BLOCKS];

static int compare(const void *a, const void *b)
{
    uintptr_t first = ((const struct live *)a)->start, second = ((const struct live *)b)->start;
    return (first > second) - (first < second);
}

static void *allocate_some_way(struct random *random, size_t size_bytes)
{
    switch (random_below(random, 4)) {
    case 0:
        return heap_allocate_leaf(size_bytes);
    case 1:
        return heap_allocate_aligned(size_bytes, (size_t)16 << random_below(random, 6));
    case 2:
        return heap_allocate_zeroed(size_bytes);
    default:
        return heap_allocate(size_bytes);
    }
}

/* Fills `live` with the blocks that are left after every third was freed. Returns how many. */
static size_t make_blocks(void)
{
    struct random random = {1};
    size_t count = 0;
    start_heap();
    for (int i = 0; i < BLOCKS; i++) {
        size_t size_bytes = random_size(&random, 1 << 20);
        void *block = allocate_some_way(&random, size_bytes);
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_ge(lookup_usable_size(block), size_bytes);
        live[count++] = (struct live){(uintptr_t)block, lookup_usable_size(block)};
        if (i % 3 == 2) {
            size_t which = random_below(&random, count);
            heap_free((void *)live[which].start);
            live[which] = live[--count];
        }
    }
    qsort(live, count, sizeof *live, compare);
    return count;
}

struct seen {
    size_t count;
    size_t limit;
    size_t wrong;
};

static bool compare_with_live(void *block, size_t size_bytes, void *context)
{
    struct seen *seen = context;
    const struct live *expected = &live[seen->count++];
    seen->wrong += expected->start != (uintptr_t)block || expected->size_bytes != size_bytes;
    return seen->count < seen->limit;
}

START_TEST(a_walk_visits_each_block_once_in_order)
{
    size_t count = make_blocks();
    struct seen seen = {.limit = SIZE_MAX};
    ck_assert_uint_eq(heap_walk(compare_with_live, &seen), count);
    ck_assert_uint_eq(seen.count, count);
    ck_assert_uint_eq(seen.wrong, 0);
}
END_TEST

START_TEST(a_walk_ends_when_it_is_told)
{
    make_blocks();
    for (size_t limit = 1; limit < 500; limit += 37) {
        struct seen seen = {.limit = limit};
        ck_assert_uint_eq(heap_walk(compare_with_live, &seen), limit);
        ck_assert_uint_eq(seen.count, limit);
    }
}
END_TEST

START_TEST(an_empty_heap_has_no_blocks)
{
    struct seen seen = {.limit = SIZE_MAX};
    ck_assert_uint_eq(heap_walk(compare_with_live, &seen), 0);
    heap_free(allocate(100));
    ck_assert_uint_eq(heap_walk(compare_with_live, &seen), 0);
    ck_assert_uint_eq(seen.count, 0);
}
END_TEST

/* Each byte of a small block, some of a large one; the free bytes between blocks belong to none that is allocated. */
START_TEST(every_byte_leads_to_its_block)
{
    size_t count = make_blocks();
    size_t wrong = 0;
    struct block block;
    for (size_t i = 0; i < count; i++) {
        size_t step = live[i].size_bytes > CLASS_BYTES_MAX ? 4099
                      : live[i].size_bytes > 1024          ? 61
                                                           : 1;
        for (size_t offset = 0; offset < live[i].size_bytes; offset += step)
            wrong += !lookup_block((char *)live[i].start + offset, &block) ||
                     block.start != live[i].start || block.size_bytes != live[i].size_bytes ||
                     !block_is_allocated(&block);
        uintptr_t behind = live[i].start + live[i].size_bytes;
        if (i + 1 < count && live[i + 1].start > behind)
            wrong += lookup_block((void *)behind, &block) && block_is_allocated(&block);
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(only_the_start_of_an_allocated_block_has_a_size)
{
    size_t count = make_blocks();
    for (size_t i = 0; i < count; i += 7) {
        ck_assert_uint_eq(lookup_usable_size((void *)live[i].start), live[i].size_bytes);
        ck_assert_uint_eq(lookup_usable_size((char *)live[i].start + 1), 0);
        ck_assert_uint_eq(lookup_usable_size((char *)live[i].start + live[i].size_bytes - 1), 0);
        heap_free((void *)live[i].start);
        ck_assert_uint_eq(lookup_usable_size((void *)live[i].start), 0);
    }
}
END_TEST

START_TEST(addresses_outside_are_no_blocks)
{
    static int outside;
    struct block block;
    ck_assert(!lookup_block(&outside, &block)); /* before the heap has started, too */
    ck_assert(!lookup_block(NULL, &block));
    start_heap();
    allocate(100);
    const uintptr_t addresses[] = {0,
                                   1,
                                   (uintptr_t)&outside,
                                   (uintptr_t)&block,
                                   UINTPTR_MAX,
                                   gca_image->start,
                                   gca_image->units_start,
                                   gca_image->metadata_start,
                                   gca_image->slots_start - 1,
                                   gca_image->slots_start + (size_t)UNIT_BYTES * 1000000,
                                   gca_image->start + gca_image->size_bytes};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        ck_assert(!lookup_block((void *)addresses[i], &block));
        ck_assert_uint_eq(lookup_usable_size((void *)addresses[i]), 0);
    }
}
END_TEST

START_TEST(trimming_returns_everything_free)
{
    size_t count = make_blocks();
    for (size_t i = 0; i < count; i++)
        heap_free((void *)live[i].start);
    ck_assert_uint_gt(units_dirty(), 0);
    ck_assert_uint_gt(heap_trim(), 0);
    ck_assert_uint_eq(units_dirty(), 0);
    ck_assert_uint_eq(heap_trim(), 0);
    expect_sound_heap();
}
END_TEST

static TCase *walk(void)
{
    TCase *tests = tcase_create("walk");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_walk_visits_each_block_once_in_order);
    tcase_add_test(tests, a_walk_ends_when_it_is_told);
    tcase_add_test(tests, an_empty_heap_has_no_blocks);
    tcase_add_test(tests, every_byte_leads_to_its_block);
    tcase_add_test(tests, only_the_start_of_an_allocated_block_has_a_size);
    tcase_add_test(tests, addresses_outside_are_no_blocks);
    tcase_add_test(tests, trimming_returns_everything_free);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {walk};
    return suite_run("heap/lookup and heap/walk", makers, 1);
}
