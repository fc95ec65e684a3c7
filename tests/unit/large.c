/* heap/large: blocks beyond the largest class: where they lie, what leads to them, how they grow, move and shrink. */
#include "heap/large.h"
#include "base/bits.h"
#include "heap/kept.h"
#include "heap/layout.h"
#include "heap/lookup.h"
#include "heap/runs.h"
#include "heap/span.h"
#include "heap/walk.h"
#include "property/random.h"
#include "support/pattern.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1 << 20, GRANULE_BYTES = GRANULE_UNITS * UNIT_BYTES };

static char *take(size_t size_bytes)
{
    char *block = allocate(size_bytes);
    ck_assert_uint_eq((uintptr_t)block % UNIT_BYTES, 0);
    return block;
}

static char *resize(char *block, size_t size_bytes)
{
    void *resized = NULL;
    ck_assert_int_eq(heap_resize(block, size_bytes, NULL, &resized), 0);
    ck_assert_uint_ge(lookup_usable_size(resized), size_bytes);
    return resized;
}

/* Every unit, and bytes beside its borders, lead to the block; what lies beside the block does not. */
static void expect_found_inside(char *start, size_t size_bytes)
{
    struct block block;
    size_t wrong = 0;
    for (size_t offset = 0; offset < size_bytes; offset += UNIT_BYTES / 2 - 1) {
        bool found = lookup_block(start + offset, &block);
        wrong += !found || block.start != (uintptr_t)start || block.size_bytes != size_bytes ||
                 !block_is_allocated(&block);
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert(lookup_block(start + size_bytes - 1, &block) && block.start == (uintptr_t)start);
    ck_assert(!lookup_block(start + size_bytes, &block) || block.start != (uintptr_t)start);
    ck_assert(!lookup_block(start - 1, &block) || block.start != (uintptr_t)start);
}

/* A first unit at each place within a granule, sizes that end before, at and behind a border. */
START_TEST(any_address_inside_leads_to_the_block)
{
    size_t shift = (size_t)_i;
    start_heap();
    ck_assert_uint_ne(run_take(1 + shift, 1, RUN_DIRTY_FIRST), SIZE_MAX);
    for (size_t units = 5; units < 3 * GRANULE_UNITS + 3;
         units += units % GRANULE_UNITS < 4 ? 1 : 29) {
        char *block = take(units * UNIT_BYTES);
        char *next = take(CLASS_BYTES_MAX + 1);
        expect_found_inside(block, units * UNIT_BYTES);
        expect_found_inside(next, lookup_usable_size(next));
        expect_sound_heap();
        heap_free(block);
        kept_flush(thread_heap_peek());
        struct block found;
        for (size_t offset = 0; offset < units * UNIT_BYTES; offset += UNIT_BYTES)
            ck_assert(!lookup_block(block + offset, &found));
        expect_found_inside(next, lookup_usable_size(next));
        heap_free(next);
    }
    expect_sound_heap();
}
END_TEST

START_TEST(alignments_are_kept)
{
    start_heap();
    for (size_t align_bytes = 32; align_bytes <= 64 * MIB; align_bytes *= 2)
        for (size_t size_bytes = 1; size_bytes < 20 * MIB; size_bytes = size_bytes * 5 + 3) {
            char *block = heap_allocate_aligned(size_bytes, align_bytes);
            ck_assert_ptr_nonnull(block);
            ck_assert_uint_eq((uintptr_t)block % align_bytes, 0);
            ck_assert_uint_ge(lookup_usable_size(block), size_bytes);
            block[0] = block[size_bytes - 1] = 'x';
            if (size_bytes % 2)
                heap_free(block);
        }
    expect_sound_heap();
}
END_TEST

START_TEST(zeroed_blocks_are_zero_also_from_used_units)
{
    struct random random = {1};
    start_heap();
    for (int round = 0; round < 60; round++) {
        size_t size_bytes = CLASS_BYTES_MAX + 1 + random_below(&random, 3 * MIB);
        char *block = heap_allocate_zeroed(size_bytes);
        ck_assert_ptr_nonnull(block);
        ck_assert(all_zero(block, size_bytes));
        memset(block, 'x', lookup_usable_size(block));
        heap_free(block);
    }
}
END_TEST

START_TEST(a_block_grows_in_place_when_it_can)
{
    start_heap();
    char *block = take(MIB);
    pattern_fill(block, MIB, 1);
    char *grown = resize(block, 40 * MIB);
    ck_assert_ptr_eq(grown, block);
    ck_assert(pattern_holds(grown, MIB, 1));
    expect_found_inside(grown, 40 * MIB);
    expect_sound_heap();
}
END_TEST

/* A neighbour in the way: the block moves, its pages with it, and gets room for the next time. */
START_TEST(a_block_that_can_not_grow_moves_whole)
{
    static const size_t sizes[] = {CLASS_BYTES_MAX + 1, 128 * 1024, MIB, 5 * MIB,
                                   GRANULE_BYTES,       33 * MIB};
    size_t size_bytes = sizes[_i];
    start_heap();
    char *block = take(size_bytes), *neighbour = take(MIB);
    size_t usable = lookup_usable_size(block);
    uint64_t moved_bytes = atomic_load(&gca_image->moved_bytes);
    pattern_fill(block, usable, 2);
    pattern_fill(neighbour, MIB, 3);
    char *grown = resize(block, usable + 1);
    ck_assert_ptr_ne(grown, block);
    ck_assert(pattern_holds(grown, usable, 2));
    ck_assert(pattern_holds(neighbour, MIB, 3));
    ck_assert_uint_ge(lookup_usable_size(grown), usable + usable / 8 / UNIT_BYTES * UNIT_BYTES);
    if (usable >= 128 * 1024)
        ck_assert_uint_eq(atomic_load(&gca_image->moved_bytes) - moved_bytes, usable);
    expect_found_inside(grown, lookup_usable_size(grown));
    ck_assert_uint_eq(lookup_usable_size(block), 0);
    expect_sound_heap();
    heap_free(grown);
    expect_sound_heap();
    char *again = heap_allocate_zeroed(3 * usable); /* where the pages came from and went */
    ck_assert(all_zero(again, 3 * usable));
}
END_TEST

/* Growing by small steps costs few moves, since a block that moved has room behind. */
START_TEST(growing_step_by_step_moves_seldom)
{
    start_heap();
    char *block = take(UNIT_BYTES);
    unsigned moves = 0;
    for (size_t units = 1; units < 1024; units++) {
        pattern_fill(block + (units - 1) * UNIT_BYTES, UNIT_BYTES, (unsigned)units - 1);
        take(CLASS_BYTES_MAX + 1); /* in the way */
        char *grown = resize(block, (units + 1) * UNIT_BYTES);
        for (size_t i = 0; grown != block && i < units; i++)
            ck_assert(pattern_holds(grown + i * UNIT_BYTES, UNIT_BYTES, (unsigned)i));
        moves += grown != block;
        block = grown;
    }
    ck_assert_uint_le(moves, 60);
    expect_sound_heap();
}
END_TEST

START_TEST(shrinking_gives_the_rest_back)
{
    start_heap();
    char *block = take(10 * MIB);
    pattern_fill(block, 10 * MIB, 4);
    ck_assert_ptr_eq(resize(block, 10 * MIB - UNIT_BYTES), block); /* too little to bother */
    ck_assert_uint_eq(lookup_usable_size(block), 10 * MIB);
    ck_assert_ptr_eq(resize(block, 3 * MIB + 1), block);
    ck_assert_uint_eq(lookup_usable_size(block), 3 * MIB + UNIT_BYTES);
    ck_assert_uint_eq(units_taken(), (3 * MIB + UNIT_BYTES) / UNIT_BYTES);
    ck_assert(pattern_holds(block, 3 * MIB + 1, 4));
    expect_found_inside(block, 3 * MIB + UNIT_BYTES);
    expect_sound_heap();
    char *small = resize(block, 100); /* into a slot */
    ck_assert_ptr_ne(small, block);
    ck_assert(pattern_holds(small, 100, 4));
    ck_assert_uint_lt(lookup_usable_size(small), 200);
    expect_sound_heap();
    char *large = resize(small, 2 * MIB);
    ck_assert(pattern_holds(large, 100, 4));
    expect_sound_heap();
}
END_TEST

START_TEST(what_can_not_be_had_leaves_the_block_alone)
{
    void *resized = NULL;
    start_heap();
    char *block = take(MIB);
    size_t limit_bytes = gca_image->unit_limit * UNIT_BYTES;
    pattern_fill(block, MIB, 5);
    ck_assert_ptr_null(heap_allocate(limit_bytes + 1));
    ck_assert_ptr_null(heap_allocate(SIZE_MAX));
    ck_assert_ptr_null(heap_allocate(BLOCK_BYTES_MAX));
    ck_assert_ptr_null(heap_allocate_zeroed(SIZE_MAX - 4096));
    ck_assert_ptr_null(heap_allocate_aligned(1, (size_t)1 << 62));
    ck_assert_ptr_null(heap_allocate_aligned(SIZE_MAX, 4096));
    ck_assert_ptr_null(heap_allocate_leaf(SIZE_MAX));
    ck_assert_int_eq(heap_resize(block, limit_bytes + 1, NULL, &resized), -ENOMEM);
    ck_assert_int_eq(heap_resize(block, SIZE_MAX, NULL, &resized), -ENOMEM);
    ck_assert_ptr_null(resized);
    ck_assert(pattern_holds(block, MIB, 5));
    ck_assert_uint_eq(units_taken(), MIB / UNIT_BYTES);
    expect_sound_heap();
}
END_TEST

/* Mixed up: contents against patterns, every size from one unit beyond the classes to 24 MiB. */
START_TEST(random_growing_and_shrinking_keeps_contents)
{
    enum { BLOCKS = 12 };
    struct random random = {(uint64_t)_i};
    char *blocks[BLOCKS];
    size_t sizes[BLOCKS];
    start_heap();
    for (int i = 0; i < BLOCKS; i++) {
        sizes[i] = CLASS_BYTES_MAX + 1 + random_below(&random, MIB);
        blocks[i] = take(sizes[i]);
        pattern_fill(blocks[i], sizes[i], (unsigned)i);
    }
    for (int round = 0; round < 300; round++) {
        unsigned i = (unsigned)random_below(&random, BLOCKS);
        size_t most = random_below(&random, 10) == 0 ? 24 * MIB : MIB;
        size_t size_bytes = CLASS_BYTES_MAX + 1 + random_below(&random, most);
        blocks[i] = resize(blocks[i], size_bytes);
        ck_assert(pattern_holds(blocks[i], sizes[i] < size_bytes ? sizes[i] : size_bytes, i));
        sizes[i] = size_bytes;
        pattern_fill(blocks[i], size_bytes, i);
        if (round % 20 == 0)
            expect_sound_heap();
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        ck_assert(pattern_holds(blocks[i], sizes[i], i));
        heap_free(blocks[i]);
    }
    heap_trim(); /* the thread keeps a few small ones */
    ck_assert_uint_eq(units_taken(), 0);
    expect_sound_heap();
}
END_TEST

static TCase *large(void)
{
    TCase *tests = tcase_create("large");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, any_address_inside_leads_to_the_block, 0, 6);
    tcase_add_test(tests, alignments_are_kept);
    tcase_add_test(tests, zeroed_blocks_are_zero_also_from_used_units);
    tcase_add_test(tests, a_block_grows_in_place_when_it_can);
    tcase_add_loop_test(tests, a_block_that_can_not_grow_moves_whole, 0, 6);
    tcase_add_test(tests, growing_step_by_step_moves_seldom);
    tcase_add_test(tests, shrinking_gives_the_rest_back);
    tcase_add_test(tests, what_can_not_be_had_leaves_the_block_alone);
    tcase_add_loop_test(tests, random_growing_and_shrinking_keeps_contents, 0, 4);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {large};
    return suite_run("heap/large", makers, 1);
}
