/* What cannot be had is NULL and ENOMEM, from every function, and nothing that was there is lost.
 */
#include "preload/conformance/cases.h"
#include "support/opaque.h"
#include "support/pattern.h"
#include "support/subject.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

/* Each beyond PTRDIFF_MAX, or beyond what 47 bits of address space can hold. */
static const size_t impossible[] = {
    (size_t)1 << 47,
    PTRDIFF_MAX - 65536,
    PTRDIFF_MAX - 4096,
    PTRDIFF_MAX - 16,
    PTRDIFF_MAX,
    (size_t)PTRDIFF_MAX + 1,
    (size_t)PTRDIFF_MAX + 2,
    (size_t)PTRDIFF_MAX + 4097,
    SIZE_MAX - ((size_t)4 << 20),
    SIZE_MAX - 65536,
    SIZE_MAX - 4097,
    SIZE_MAX - 4096,
    SIZE_MAX - 4095,
    SIZE_MAX - 64,
    SIZE_MAX - 16,
    SIZE_MAX - 15,
    SIZE_MAX - 8,
    SIZE_MAX - 1,
    SIZE_MAX,
};
enum { IMPOSSIBLE = sizeof impossible / sizeof *impossible };

/* Judges what a call has returned. errno must be 0 before the call, and is 0 again afterwards. */
static void refused(const void *result)
{
    int error = errno;

    ck_assert_ptr_null(result);
    ck_assert_int_eq(error, ENOMEM);
    errno = 0;
}

START_TEST(new_blocks)
{
    size_t size = opaque_size(impossible[_i]);

    errno = 0;
    refused(malloc(size));
    refused(calloc(1, size));
    refused(calloc(size, 1));
    refused(realloc(NULL, size));
    refused(reallocarray(NULL, 1, size));
    refused(reallocarray(NULL, size, 1));
    refused(valloc(size));
    refused(pvalloc(size));
    ck_assert(subject_verify());
}
END_TEST

START_TEST(aligned_blocks)
{
    size_t size = opaque_size(impossible[_i]);

    for (size_t alignment = 1; alignment <= (size_t)64 << 20; alignment *= 2) {
        void *untouched = &size;

        errno = 0;
        refused(memalign(alignment, size));
        refused(aligned_alloc(alignment, size));
        if (alignment < sizeof(void *))
            continue;
        ck_assert_int_eq(posix_memalign(&untouched, alignment, size), ENOMEM);
        ck_assert_ptr_eq(untouched, &size);
    }
    ck_assert(subject_verify());
}
END_TEST

/* The alignment may be impossible too, alone or together with the size. */
START_TEST(impossible_alignments)
{
    for (size_t alignment = (size_t)1 << 47; alignment != 0; alignment *= 2) {
        void *untouched = &alignment;
        int error = posix_memalign(&untouched, alignment, 100);

        ck_assert_int_eq(error, ENOMEM);
        ck_assert_ptr_eq(untouched, &alignment);
        errno = 0;
        ck_assert_ptr_null(memalign(opaque_size(alignment), 100));
        ck_assert(errno == ENOMEM || errno == EINVAL);
        errno = 0;
        ck_assert_ptr_null(aligned_alloc(opaque_size(alignment), PTRDIFF_MAX - 100));
        ck_assert(errno == ENOMEM || errno == EINVAL);
    }
    errno = 0;
    ck_assert_ptr_null(memalign(opaque_size(SIZE_MAX), 100));
    ck_assert(errno == ENOMEM || errno == EINVAL);
    ck_assert(subject_verify());
}
END_TEST

START_TEST(failed_realloc_keeps_the_block)
{
    static const size_t held[] = {1, 40, 1000, 20000, 200000, 5u << 20};
    size_t size = opaque_size(impossible[_i]);

    for (unsigned i = 0; i < sizeof held / sizeof *held; i++) {
        void *block = malloc(held[i]), *kept = opaque(block);

        pattern_fill(block, held[i], i);
        errno = 0;
        refused(realloc(block, size));
        refused(reallocarray(opaque(kept), 1, size));
        ck_assert(pattern_holds(kept, held[i], i));
        ck_assert_uint_ge(malloc_usable_size(kept), held[i]);
        free(kept);
    }
    ck_assert(subject_verify());
}
END_TEST

START_TEST(posix_memalign_refuses_bad_alignments)
{
    static const size_t bad[] = {
        0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 15, 17, 24, 48, 100, 4095, 4097, SIZE_MAX - 1, SIZE_MAX};

    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        void *untouched = (void *)bad;

        ck_assert_int_eq(posix_memalign(&untouched, opaque_size(bad[i]), 64), EINVAL);
        ck_assert_ptr_eq(untouched, bad);
    }
}
END_TEST

/* What a program gets after a refusal is as good as before. */
START_TEST(heap_works_after_refusals)
{
    for (int i = 0; i < IMPOSSIBLE; i++) {
        char *block;

        errno = 0;
        refused(malloc(opaque_size(impossible[i])));
        block = malloc(100);
        ck_assert_ptr_nonnull(block);
        pattern_fill(block, 100, 7);
        ck_assert(pattern_holds(block, 100, 7));
        free(block);
    }
}
END_TEST

TCase *limit_case(void)
{
    TCase *test_case = tcase_create("limits");

    tcase_add_loop_test(test_case, new_blocks, 0, IMPOSSIBLE);
    tcase_add_loop_test(test_case, aligned_blocks, 0, IMPOSSIBLE);
    tcase_add_test(test_case, impossible_alignments);
    tcase_add_loop_test(test_case, failed_realloc_keeps_the_block, 0, IMPOSSIBLE);
    tcase_add_test(test_case, posix_memalign_refuses_bad_alignments);
    tcase_add_test(test_case, heap_works_after_refusals);
    return test_case;
}
