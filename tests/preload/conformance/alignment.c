/* Every block is aligned for any type; the aligning functions keep every power of two up to 64 MiB.
 */
#include "preload/conformance/cases.h"
#include "support/opaque.h"
#include "support/pattern.h"
#include "support/subject.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXPONENTS = 27, HELD = 24 }; /* 2^26 is 64 MiB */

static bool is_aligned(const void *block, size_t alignment)
{
    return ((uintptr_t)block & (alignment - 1)) == 0;
}

static void *make_aligned(int kind, size_t alignment, size_t size)
{
    void *block = NULL;

    if (kind == 0)
        return memalign(alignment, size);
    if (kind == 1)
        return aligned_alloc(alignment, size);
    ck_assert_int_eq(
        posix_memalign(&block, alignment < sizeof(void *) ? sizeof(void *) : alignment, size), 0);
    return block;
}

/* Holds several blocks of an alignment at once, of all kinds of sizes, checks each of them whole
 * and lets them go. */
START_TEST(each_power_of_two)
{
    size_t alignment = (size_t)1 << _i;
    size_t sizes[] = {0, 1, 15, 100, 3000, 70000, alignment - 1, alignment, alignment + 1};
    void *blocks[sizeof sizes / sizeof *sizes][3];

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int kind = 0; kind < 3; kind++) {
            void *block = make_aligned(kind, alignment, sizes[i]);

            ck_assert_ptr_nonnull(block);
            ck_assert(is_aligned(block, alignment));
            ck_assert(is_aligned(block, 16));
            ck_assert_uint_ge(malloc_usable_size(block), sizes[i]);
            pattern_fill(block, sizes[i], i * 3 + (unsigned)kind);
            blocks[i][kind] = block;
        }
    }
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int kind = 0; kind < 3; kind++) {
            ck_assert(pattern_holds(blocks[i][kind], sizes[i], i * 3 + (unsigned)kind));
            free(blocks[i][kind]);
        }
    ck_assert(subject_verify());
}
END_TEST

/* The usable end of an aligned block is as far as malloc_usable_size says, wherever the block
 * starts in its slot. */
START_TEST(aligned_blocks_are_writable_to_their_end)
{
    void *blocks[HELD];
    size_t alignment = (size_t)1 << _i;

    for (unsigned i = 0; i < HELD; i++) {
        blocks[i] = memalign(alignment, i * 50);
        ck_assert_ptr_nonnull(blocks[i]);
        pattern_fill(blocks[i], malloc_usable_size(blocks[i]), i);
    }
    for (unsigned i = 0; i < HELD; i++) {
        ck_assert(pattern_holds(blocks[i], malloc_usable_size(blocks[i]), i));
        free(blocks[i]);
    }
    ck_assert(subject_verify());
}
END_TEST

/* realloc need not keep an alignment, but must keep what is in the block and take a pointer into a
 * slot. */
START_TEST(aligned_blocks_can_be_reallocated)
{
    size_t alignment = (size_t)1 << _i;

    for (size_t size = 1; size < 200000; size = size * 3 + 1) {
        char *block = memalign(alignment, size);

        ck_assert_ptr_nonnull(block);
        pattern_fill(block, size, 1);
        block = realloc(block, size * 2);
        ck_assert(pattern_holds(block, size, 1));
        pattern_fill(block, size * 2, 2);
        block = realloc(block, size / 2 + 1);
        ck_assert(pattern_holds(block, size / 2 + 1, 2));
        ck_assert(is_aligned(block, 16));
        free(block);
    }
    ck_assert(subject_verify());
}
END_TEST

START_TEST(valloc_aligns_to_pages)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    for (size_t size = 0; size < 300000; size = size * 5 / 4 + 1) {
        void *block = valloc(size), *whole_pages = pvalloc(size);

        ck_assert(block != NULL && whole_pages != NULL);
        ck_assert(is_aligned(block, page) && is_aligned(whole_pages, page));
        ck_assert_uint_ge(malloc_usable_size(block), size);
        ck_assert_uint_ge(malloc_usable_size(whole_pages), (size + page - 1) / page * page);
        memset(block, 1, size);
        memset(whole_pages, 2, (size + page - 1) / page * page);
        free(block);
        free(whole_pages);
    }
    ck_assert(subject_verify());
}
END_TEST

/* glibc's memalign rounds an odd alignment up. aligned_alloc may do so (glibc until 2.37) or refuse
 * it (since). */
START_TEST(odd_alignments)
{
    for (size_t alignment = 0; alignment < 5000; alignment = alignment * 9 / 8 + 1) {
        size_t rounded = 16;
        void *block = memalign(opaque_size(alignment), 100), *maybe;

        while (rounded < alignment)
            rounded *= 2;
        ck_assert_ptr_nonnull(block);
        ck_assert(is_aligned(block, rounded));
        free(block);
        errno = 0;
        maybe = aligned_alloc(opaque_size(alignment), 100);
        ck_assert(maybe != NULL ? is_aligned(maybe, rounded) : errno == EINVAL);
        free(maybe);
    }
}
END_TEST

START_TEST(every_block_is_aligned_to_16)
{
    for (size_t size = 0; size < 3000000; size = size * 33 / 32 + 1) {
        void *plain = malloc(size), *zeroed = calloc(1, size),
             *moved = realloc(malloc(1), size + 1);

        ck_assert(plain != NULL && zeroed != NULL && moved != NULL);
        ck_assert(is_aligned(plain, 16) && is_aligned(zeroed, 16) && is_aligned(moved, 16));
        free(plain);
        free(zeroed);
        free(moved);
    }
}
END_TEST

TCase *alignment_case(void)
{
    TCase *test_case = tcase_create("alignment");

    tcase_set_timeout(test_case, 60);
    tcase_add_loop_test(test_case, each_power_of_two, 0, EXPONENTS);
    tcase_add_loop_test(test_case, aligned_blocks_are_writable_to_their_end, 0, 17);
    tcase_add_loop_test(test_case, aligned_blocks_can_be_reallocated, 0, 22);
    tcase_add_test(test_case, valloc_aligns_to_pages);
    tcase_add_test(test_case, odd_alignments);
    tcase_add_test(test_case, every_block_is_aligned_to_16);
    return test_case;
}
