/* C23's free_sized and free_aligned_sized, and cfree, which old programs still find by its symbol.
 */
#include "preload/conformance/cases.h"
#include "support/subject.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

typedef void free_sized_function(void *, size_t);
typedef void free_aligned_sized_function(void *, size_t, size_t);
typedef void free_function(void *);

/* glibc 2.36 and the peers have none of them; ours must. */
static void *wanted(const char *name)
{
    void *function = subject_function(name);

    if (subject_is_gcalloc())
        ck_assert_msg(function != NULL, "%s is missing", name);
    return function;
}

static void release_sized(void *block, size_t size, int way)
{
    free_sized_function *sized = (free_sized_function *)wanted("free_sized");

    ck_assert_ptr_nonnull(block);
    memset(block, way, size);
    errno = 4711;
    if (sized != NULL)
        sized(block, size);
    else
        free(block);
    ck_assert_int_eq(errno, 4711);
}

START_TEST(free_sized_takes_the_size_asked_for)
{
    for (size_t size = 0; size < 300000; size = size < 1100 ? size + 1 : size * 33 / 32) {
        release_sized(malloc(size), size, 1);
        release_sized(calloc(size, 1), size, 2);
        release_sized(realloc(malloc(size / 2), size + 1), size + 1, 3);
    }
    release_sized(malloc(20 << 20), 20 << 20, 4);
    ck_assert(subject_verify());
}
END_TEST

START_TEST(free_sized_of_null)
{
    free_sized_function *sized = (free_sized_function *)wanted("free_sized");
    free_aligned_sized_function *aligned_sized =
        (free_aligned_sized_function *)wanted("free_aligned_sized");

    if (sized != NULL)
        sized(NULL, 100);
    if (aligned_sized != NULL)
        aligned_sized(NULL, 64, 100);
}
END_TEST

START_TEST(free_aligned_sized_takes_alignment_and_size)
{
    free_aligned_sized_function *aligned_sized =
        (free_aligned_sized_function *)wanted("free_aligned_sized");

    for (size_t alignment = 1; alignment <= (size_t)4 << 20; alignment *= 2)
        for (size_t size = 0; size < 200000; size = size * 7 / 4 + 1) {
            void *block = aligned_alloc(alignment, size);

            ck_assert_ptr_nonnull(block);
            memset(block, 1, size);
            errno = 4711;
            if (aligned_sized != NULL)
                aligned_sized(block, alignment, size);
            else
                free(block);
            ck_assert_int_eq(errno, 4711);
        }
    ck_assert(subject_verify());
}
END_TEST

START_TEST(cfree_is_free)
{
    free_function *old_free = (free_function *)wanted("cfree");

    if (old_free == NULL)
        return;
    for (size_t size = 0; size < 300000; size = size * 5 / 4 + 1) {
        old_free(malloc(size));
        old_free(calloc(1, size));
    }
    old_free(NULL);
    ck_assert(subject_verify());
}
END_TEST

TCase *sized_free_case(void)
{
    TCase *test_case = tcase_create("sized free");

    tcase_add_test(test_case, free_sized_takes_the_size_asked_for);
    tcase_add_test(test_case, free_sized_of_null);
    tcase_add_test(test_case, free_aligned_sized_takes_alignment_and_size);
    tcase_add_test(test_case, cfree_is_free);
    return test_case;
}
