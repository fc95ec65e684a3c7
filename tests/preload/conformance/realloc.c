/* realloc keeps the bytes that both sizes have, in place or elsewhere, up to sizes that move by
 * page table. */
#include "preload/conformance/cases.h"
#include "support/opaque.h"
#include "support/pattern.h"
#include "support/subject.h"
#include "support/suite.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const size_t sizes[] = {
    1,      8,      15,     16,     17,      31,      32,      33,     48,     63,
    64,     65,     100,    127,    128,     129,     255,     256,    257,    400,
    511,    512,    513,    600,    1000,    1023,    1024,    1025,   1500,   2047,
    2048,   2049,   3000,   4095,   4096,    4097,    5000,    6144,   8191,   8192,
    8193,   12000,  16383,  16384,  16385,   20000,   32767,   32768,  32769,  49152,
    65535,  65536,  65537,  81920,  98304,   131071,  131072,  131073, 200000, 262144,
    300000, 500000, 524288, 700000, 1000000, 1048575, 1048576,
};
enum { SIZES = sizeof sizes / sizeof *sizes };

static size_t smaller_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* From one size to every other, and back. */
START_TEST(contents_are_kept_between_any_two_sizes)
{
    for (int to = 0; to < SIZES; to++) {
        size_t from_size = sizes[_i], to_size = sizes[to], common = smaller_of(from_size, to_size);
        char *block = malloc(from_size);

        pattern_fill(block, from_size, 1);
        block = realloc(block, to_size);
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_ge(malloc_usable_size(block), to_size);
        ck_assert(pattern_holds(block, common, 1));
        pattern_fill(block, to_size, 2);
        block = realloc(block, from_size);
        ck_assert_ptr_nonnull(block);
        ck_assert(pattern_holds(block, common, 2));
        free(block);
    }
    ck_assert(subject_verify());
}
END_TEST

/* Programs write as far as malloc_usable_size allows and expect realloc to keep that too. */
START_TEST(contents_are_kept_to_the_usable_size)
{
    for (int from = 0; from < SIZES; from++) {
        char *block = malloc(sizes[from]);
        size_t usable = malloc_usable_size(block);

        pattern_fill(block, usable, 3);
        block = realloc(block, usable * 3 + 100);
        ck_assert_ptr_nonnull(block);
        ck_assert(pattern_holds(block, usable, 3));
        free(block);
    }
}
END_TEST

START_TEST(null_is_malloc)
{
    for (int i = 0; i < SIZES; i++) {
        char *block = realloc(opaque(NULL), sizes[i]);

        ck_assert_ptr_nonnull(block);
        ck_assert_uint_ge(malloc_usable_size(block), sizes[i]);
        memset(block, 1, sizes[i]);
        free(block);
    }
}
END_TEST

/* A buffer that doubles while others live beside it, as in any program that reads a file of unknown
 * length. */
START_TEST(grows_to_64_mib_by_doubling)
{
    char *beside[32] = {NULL};
    char *block = malloc(1);
    size_t size = 1;
    int step = 0;

    pattern_fill(block, size, 4);
    while (size < (size_t)64 << 20) {
        beside[step] = malloc(size / 3 + 1);
        beside[step++][0] = 1;
        block = realloc(block, size * 2);
        ck_assert_ptr_nonnull(block);
        ck_assert(pattern_holds(block, size, 4));
        size *= 2;
        pattern_fill(block, size, 4);
    }
    while (size > 100) {
        block = realloc(block, size / 3);
        size /= 3;
        ck_assert(pattern_holds(block, size, 4));
    }
    free(block);
    while (step > 0)
        free(beside[--step]);
    ck_assert(subject_verify());
}
END_TEST

/* In steps of odd sizes, around the sizes where a large block changes its kind. */
START_TEST(grows_by_small_steps)
{
    static const size_t around[] = {65536, 131072, 2 << 20, 4 << 20, 6 << 20};

    for (unsigned i = 0; i < sizeof around / sizeof *around; i++) {
        size_t size = around[i] - 5000;
        char *block = malloc(size);

        pattern_fill(block, size, 5);
        while (size < around[i] + 5000) {
            block = realloc(block, size + 777);
            ck_assert_ptr_nonnull(block);
            ck_assert(pattern_holds(block, size, 5));
            size += 777;
            pattern_fill(block, size, 5);
        }
        while (size > around[i] - 5000) {
            block = realloc(block, size -= 555);
            ck_assert_ptr_nonnull(block);
            ck_assert(pattern_holds(block, size, 5));
        }
        free(block);
    }
    ck_assert(subject_verify());
}
END_TEST

/* Two that grow in turn stand in each other's way. */
START_TEST(two_huge_blocks_grow_in_turn)
{
    size_t size = (size_t)1 << 20;
    char *blocks[2] = {malloc(size), malloc(size)};

    pattern_fill(blocks[0], size, 0);
    pattern_fill(blocks[1], size, 1);
    for (int round = 0; round < 20; round++) {
        for (unsigned which = 0; which < 2; which++) {
            blocks[which] = realloc(blocks[which], size + 1500000);
            ck_assert_ptr_nonnull(blocks[which]);
            ck_assert(pattern_holds(blocks[which], size, which));
            pattern_fill(blocks[which], size + 1500000, which);
        }
        size += 1500000;
    }
    free(blocks[0]);
    ck_assert(pattern_holds(blocks[1], size, 1));
    free(blocks[1]);
    ck_assert(subject_verify());
}
END_TEST

/* What lies behind a block that grew must be as new memory may be: anything, but not somebody's. */
START_TEST(random_walk)
{
    enum { BLOCKS = 64, STEPS = 20000 };
    char *blocks[BLOCKS] = {NULL};
    size_t held[BLOCKS] = {0};
    uint64_t random = 88172645463325252u;

    for (int step = 0; step < STEPS; step++) {
        unsigned which;
        size_t size;

        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        which = (unsigned)(random % BLOCKS);
        size = (size_t)(random >> 20) % ((size_t)1 << (random >> 8) % 19) + 1;
        hot_assert(pattern_holds(blocks[which], held[which], which), "the block is what it was");
        blocks[which] = realloc(blocks[which], size);
        hot_assert(blocks[which] != NULL, "the block was resized");
        hot_assert(pattern_holds(blocks[which], smaller_of(held[which], size), which),
                   "the contents are kept");
        held[which] = size;
        pattern_fill(blocks[which], size, which);
    }
    for (int which = 0; which < BLOCKS; which++)
        free(blocks[which]);
    ck_assert(subject_verify());
}
END_TEST

TCase *realloc_case(void)
{
    TCase *test_case = tcase_create("realloc");

    tcase_set_timeout(test_case, 60);
    tcase_add_loop_test(test_case, contents_are_kept_between_any_two_sizes, 0, SIZES);
    tcase_add_test(test_case, contents_are_kept_to_the_usable_size);
    tcase_add_test(test_case, null_is_malloc);
    tcase_add_test(test_case, grows_to_64_mib_by_doubling);
    tcase_add_test(test_case, grows_by_small_steps);
    tcase_add_test(test_case, two_huge_blocks_grow_in_turn);
    tcase_add_test(test_case, random_walk);
    return test_case;
}
