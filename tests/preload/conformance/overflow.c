/* A product that does not fit in size_t is refused, whatever small number it wraps to. */
#include "preload/conformance/cases.h"
#include "support/opaque.h"
#include "support/pattern.h"
#include "support/subject.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

static const size_t factors[][2] = {
    {SIZE_MAX, SIZE_MAX},
    {SIZE_MAX, 2},
    {SIZE_MAX / 2 + 1, 2},   /* wraps to 0 */
    {SIZE_MAX / 2 + 9, 2},   /* wraps to 16 */
    {SIZE_MAX / 16 + 1, 16}, /* 0 */
    {SIZE_MAX / 16 + 3, 16}, /* 32 */
    {(size_t)1 << 32, (size_t)1 << 32},
    {((size_t)1 << 32) + 1, ((size_t)1 << 32) + 1},
    {(size_t)1 << 63, 3},
    {3, SIZE_MAX / 2},
    {SIZE_MAX / 3 + 1, 3},
    {SIZE_MAX / 1000 + 1, 1000},
    {65536, ((size_t)1 << 48) + 1}, /* 65536 */
};
enum { FACTORS = sizeof factors / sizeof *factors };

START_TEST(calloc_refuses)
{
    errno = 0;
    ck_assert_ptr_null(calloc(opaque_size(factors[_i][0]), opaque_size(factors[_i][1])));
    ck_assert_int_eq(errno, ENOMEM);
    errno = 0;
    ck_assert_ptr_null(calloc(opaque_size(factors[_i][1]), opaque_size(factors[_i][0])));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert(subject_verify());
}
END_TEST

START_TEST(reallocarray_refuses_and_keeps_the_block)
{
    void *block = malloc(500), *kept = opaque(block);

    pattern_fill(block, 500, 3);
    errno = 0;
    ck_assert_ptr_null(
        reallocarray(block, opaque_size(factors[_i][0]), opaque_size(factors[_i][1])));
    ck_assert_int_eq(errno, ENOMEM);
    errno = 0;
    ck_assert_ptr_null(
        reallocarray(kept, opaque_size(factors[_i][1]), opaque_size(factors[_i][0])));
    ck_assert_int_eq(errno, ENOMEM);
    errno = 0;
    ck_assert_ptr_null(
        reallocarray(NULL, opaque_size(factors[_i][0]), opaque_size(factors[_i][1])));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert(pattern_holds(kept, 500, 3));
    free(kept);
    ck_assert(subject_verify());
}
END_TEST

START_TEST(reallocarray_multiplies)
{
    char *block = reallocarray(NULL, 1000, 3);

    ck_assert_ptr_nonnull(block);
    pattern_fill(block, 3000, 5);
    block = reallocarray(block, 700, 100);
    ck_assert_ptr_nonnull(block);
    ck_assert(pattern_holds(block, 3000, 5));
    pattern_fill(block, 70000, 6);
    block = reallocarray(block, 10, 10);
    ck_assert(pattern_holds(block, 100, 6));
    free(block);
}
END_TEST

TCase *overflow_case(void)
{
    TCase *test_case = tcase_create("overflow");

    tcase_add_loop_test(test_case, calloc_refuses, 0, FACTORS);
    tcase_add_loop_test(test_case, reallocarray_refuses_and_keeps_the_block, 0, FACTORS);
    tcase_add_test(test_case, reallocarray_multiplies);
    return test_case;
}
