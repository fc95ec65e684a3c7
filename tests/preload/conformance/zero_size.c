/* A block of no bytes is still a block of its own: never NULL, never shared, to be freed like any
 * other. */
#include "preload/conformance/cases.h"
#include "support/opaque.h"
#include "support/subject.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 200, KINDS = 8 };

static int compare_addresses(const void *left, const void *right)
{
    uintptr_t a = (uintptr_t) * (void *const *)left, b = (uintptr_t) * (void *const *)right;

    return (a > b) - (a < b);
}

static void *make_empty(int kind)
{
    void *block = NULL;

    switch (kind) {
    case 0:
        return malloc(0);
    case 1:
        return calloc(0, 8);
    case 2:
        return calloc(8, 0);
    case 3:
        return realloc(NULL, 0);
    case 4:
        return reallocarray(NULL, 0, 8);
    case 5:
        return memalign(64, 0);
    case 6:
        return aligned_alloc(32, 0);
    default:
        ck_assert_int_eq(posix_memalign(&block, 128, 0), 0);
        return block;
    }
}

START_TEST(empty_blocks_are_unique)
{
    static void *blocks[ROUNDS * KINDS];

    for (int i = 0; i < ROUNDS * KINDS; i++) {
        blocks[i] = make_empty(i % KINDS);
        ck_assert_ptr_nonnull(blocks[i]);
    }
    qsort(blocks, ROUNDS * KINDS, sizeof *blocks, compare_addresses);
    for (int i = 1; i < ROUNDS * KINDS; i++)
        ck_assert_ptr_ne(blocks[i - 1], blocks[i]);
    for (int i = 0; i < ROUNDS * KINDS; i++)
        free(blocks[i]);
    ck_assert(subject_verify());
}
END_TEST

START_TEST(valloc_and_pvalloc_of_nothing_are_blocks)
{
    void *one_block = valloc(0), *page = pvalloc(0);

    ck_assert_ptr_nonnull(one_block);
    ck_assert_ptr_nonnull(page);
    ck_assert_ptr_ne(one_block, page);
    free(one_block);
    free(page);
}
END_TEST

START_TEST(free_of_null_does_nothing)
{
    for (int i = 0; i < 1000; i++)
        free(opaque(NULL));
    ck_assert(subject_verify());
}
END_TEST

/* As in glibc: not ISO C's unspecified, not BSD's new empty block. errno stays as it was, so that
 * it is no failure. */
START_TEST(realloc_to_zero_frees_and_returns_null)
{
    static const size_t sizes[] = {0, 1, 24, 512, 4096, 65536, 300000, 8u << 20};
    bool (*is_block)(const void *) = (bool (*)(const void *))subject_function("gca_is_block");

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *block = malloc(sizes[i]), *former = opaque(block);

        ck_assert_ptr_nonnull(block);
        errno = 4711;
        ck_assert_ptr_null(i % 2 == 0 ? realloc(block, opaque_size(0))
                                      : reallocarray(block, opaque_size(0), 8));
        ck_assert_int_eq(errno, 4711);
        if (subject_is_gcalloc())
            ck_assert(!is_block(former));
    }
    ck_assert(subject_verify());
}
END_TEST

TCase *zero_size_case(void)
{
    TCase *test_case = tcase_create("zero size");

    tcase_add_test(test_case, empty_blocks_are_unique);
    tcase_add_test(test_case, valloc_and_pvalloc_of_nothing_are_blocks);
    tcase_add_test(test_case, free_of_null_does_nothing);
    tcase_add_test(test_case, realloc_to_zero_frees_and_returns_null);
    return test_case;
}
