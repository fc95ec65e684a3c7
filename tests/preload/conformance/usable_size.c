/* malloc_usable_size says how far a program may write, no more and no less. */
#include "preload/conformance/cases.h"
#include "support/opaque.h"
#include "support/pattern.h"
#include "support/subject.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

START_TEST(null_has_none)
{
    ck_assert_uint_eq(malloc_usable_size(opaque(NULL)), 0);
}
END_TEST

/* Three neighbours of each size, written to their usable end; the one in the middle is grown, the
 * others stay. */
START_TEST(usable_extents_are_the_programs)
{
    for (size_t size = 0; size < 400000; size = size < 1200 ? size + 1 : size * 65 / 64) {
        char *blocks[3];
        size_t usable[3];

        for (unsigned i = 0; i < 3; i++) {
            blocks[i] = malloc(size);
            usable[i] = malloc_usable_size(blocks[i]);
            ck_assert_uint_ge(usable[i], size);
            pattern_fill(blocks[i], usable[i], i);
        }
        for (unsigned i = 0; i < 3; i++) {
            ck_assert_uint_eq(malloc_usable_size(blocks[i]), usable[i]);
            ck_assert(pattern_holds(blocks[i], usable[i], i));
            free(blocks[i]);
        }
    }
    ck_assert(subject_verify());
}
END_TEST

/* A block of n usable bytes is what a request of n bytes gives: to ask for more than was asked
 * costs nothing. */
START_TEST(usable_size_is_stable)
{
    for (size_t size = 1; size < 3000000; size = size * 9 / 8 + 1) {
        char *block = malloc(size);
        size_t usable = malloc_usable_size(block);

        block = realloc(block, usable);
        ck_assert_uint_ge(malloc_usable_size(block), usable);
        memset(block, 1, malloc_usable_size(block));
        free(block);
    }
}
END_TEST

/* A fifth is unused at most, above 1 KiB a third, or less than 16 KiB of a block that has units of its own. */
static size_t usable_max(size_t size)
{
    if (size > 16384)
        return size + 16384;
    return size + (size <= 1024 ? size / 4 : size / 2) + 32;
}

START_TEST(slack_is_bounded)
{
    for (size_t size = 1; size < 3000000; size = size * 17 / 16 + 1) {
        void *block = malloc(size);

        ck_assert_msg(malloc_usable_size(block) <= usable_max(size),
                      "%zu bytes for a request of %zu", malloc_usable_size(block), size);
        free(block);
    }
}
END_TEST

TCase *usable_size_case(void)
{
    TCase *test_case = tcase_create("usable size");

    tcase_set_timeout(test_case, 60);
    tcase_add_test(test_case, null_has_none);
    tcase_add_test(test_case, usable_extents_are_the_programs);
    tcase_add_test(test_case, usable_size_is_stable);
    tcase_add_test(test_case, slack_is_bounded);
    return test_case;
}
