/* glibc's second names. Programs with a malloc wrapper of their own call these; blocks must mix
 * with malloc's. */
#include "preload/conformance/cases.h"
#include "support/pattern.h"
#include "support/subject.h"

#include <malloc.h>
#include <stdlib.h>

static void *alias(const char *name)
{
    void *function = subject_function(name);

    ck_assert_msg(function != NULL, "%s is missing", name);
    return function;
}

static void check_and_free(void *block, size_t size, int way)
{
    bool (*is_ours)(const void *) = (bool (*)(const void *))subject_function("gca_is_ours");
    void (*release)(void *) = (void (*)(void *))alias("__libc_free");

    ck_assert_ptr_nonnull(block);
    ck_assert_uint_ge(malloc_usable_size(block), size);
    if (subject_is_gcalloc())
        ck_assert_msg(is_ours(block), "an alias gives blocks of another heap");
    pattern_fill(block, size, 1);
    if (way % 2 == 0)
        free(block);
    else
        release(block);
}

START_TEST(blocks_mix_with_mallocs)
{
    void *(*allocate)(size_t) = (void *(*)(size_t))alias("__libc_malloc");
    void *(*allocate_zeroed)(size_t, size_t) = (void *(*)(size_t, size_t))alias("__libc_calloc");
    void *(*resize)(void *, size_t) = (void *(*)(void *, size_t))alias("__libc_realloc");
    void *(*align)(size_t, size_t) = (void *(*)(size_t, size_t))alias("__libc_memalign");
    void *(*align_to_page)(size_t) = (void *(*)(size_t))alias("__libc_valloc");
    void *(*whole_pages)(size_t) = (void *(*)(size_t))alias("__libc_pvalloc");

    for (size_t size = 1; size < 200000; size = size * 3 / 2 + 1) {
        for (int way = 0; way < 2; way++) {
            void *zeroed = allocate_zeroed(1, size);

            ck_assert(all_zero(zeroed, size));
            check_and_free(allocate(size), size, way);
            check_and_free(zeroed, size, way);
            check_and_free(resize(malloc(size / 2), size), size, way);
            check_and_free(realloc(allocate(size / 2), size), size, way);
            check_and_free(align(128, size), size, way);
            check_and_free(align_to_page(size), size, way);
            check_and_free(whole_pages(size), size, way);
        }
        check_and_free(malloc(size), size, 1);
    }
    ck_assert(subject_verify());
}
END_TEST

TCase *alias_case(void)
{
    TCase *test_case = tcase_create("aliases");

    tcase_add_test(test_case, blocks_mix_with_mallocs);
    return test_case;
}
