/* free() keeps errno (POSIX.1-2024), on every way it can take, and a successful call does not
 * report a failure. */
#include "preload/conformance/cases.h"
#include "support/opaque.h"
#include "support/subject.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MARK = 12345, BLOCKS = 2000 };

static const size_t sizes[] = {0,      1,      16,     48,      100,           500,     513,
                               1000,   4096,   5000,   16384,   40000,         65536,   65537,
                               100000, 131072, 300000, 1 << 20, (1 << 21) + 1, 5 << 20, 40 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void free_and_check(void *block)
{
    errno = MARK;
    free(block);
    ck_assert_int_eq(errno, MARK);
    errno = 0;
    free(opaque(NULL));
    ck_assert_int_eq(errno, 0);
}

START_TEST(kept_by_free_of_each_size)
{
    void *block = NULL;

    for (int round = 0; round < 3; round++) {
        block = malloc(sizes[_i]);
        ck_assert_ptr_nonnull(block);
        memset(block, 1, sizes[_i]);
        free_and_check(block);
        free_and_check(calloc(1, sizes[_i]));
        free_and_check(memalign(256, sizes[_i]));
        free_and_check(memalign(1 << 20, sizes[_i]));
    }
}
END_TEST

/* Many at once, so that buffers overflow, spans become empty and pages go back to the kernel. */
START_TEST(kept_by_slow_paths)
{
    static void *blocks[BLOCKS];

    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc((size_t)i * 37 % 30000);
        memset(blocks[i], 1, (size_t)i * 37 % 30000);
    }
    for (int i = 0; i < BLOCKS; i++)
        free_and_check(blocks[i * 7 % BLOCKS]);
    errno = MARK;
    malloc_trim(0);
    ck_assert_int_eq(errno, MARK);
}
END_TEST

static void *fill_blocks(void *context)
{
    void **blocks = context;

    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = malloc((size_t)i % 3000);
    return NULL;
}

static void *free_blocks(void *context)
{
    void **blocks = context;

    for (int i = 0; i < BLOCKS; i++)
        free_and_check(blocks[i]);
    return NULL;
}

START_TEST(kept_by_free_from_another_thread)
{
    static void *blocks[BLOCKS];
    pthread_t thread;

    fill_blocks(blocks);
    ck_assert_int_eq(pthread_create(&thread, NULL, free_blocks, blocks), 0);
    pthread_join(thread, NULL);
    ck_assert(subject_verify());
}
END_TEST

START_TEST(kept_by_free_after_the_owner_exited)
{
    static void *blocks[BLOCKS];
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, fill_blocks, blocks), 0);
    pthread_join(thread, NULL);
    free_blocks(blocks);
    ck_assert(subject_verify());
}
END_TEST

START_TEST(kept_by_the_other_frees)
{
    static const char *const names[] = {"cfree", "__libc_free"};

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        void (*release)(void *) = (void (*)(void *))subject_function(names[i]);

        if (release == NULL && !subject_is_gcalloc())
            continue;
        ck_assert_ptr_nonnull(release);
        for (int size = 0; size < SIZES; size++) {
            void *block = malloc(sizes[size]);

            errno = MARK;
            release(block);
            ck_assert_int_eq(errno, MARK);
        }
        release(NULL);
        ck_assert_int_eq(errno, MARK);
    }
}
END_TEST

/* ISO C forbids a library function to set errno to 0; a program that looks at it after success is
 * wrong, but many do. */
START_TEST(kept_by_successful_calls)
{
    void *block, *aligned = NULL;

    errno = MARK;
    block = realloc(malloc(sizes[_i]), sizes[_i] + 1000);
    ck_assert_ptr_nonnull(block);
    ck_assert_int_eq(posix_memalign(&aligned, 4096, sizes[_i]), 0);
    ck_assert_int_eq(errno, MARK);
    ck_assert_uint_gt(malloc_usable_size(block), sizes[_i]);
    ck_assert_int_eq(errno, MARK);
    free(block);
    free(aligned);
    free(calloc(3, sizes[_i]));
    ck_assert_int_eq(errno, MARK);
}
END_TEST

TCase *errno_case(void)
{
    TCase *test_case = tcase_create("errno");

    tcase_add_loop_test(test_case, kept_by_free_of_each_size, 0, SIZES);
    tcase_add_test(test_case, kept_by_slow_paths);
    tcase_add_test(test_case, kept_by_free_from_another_thread);
    tcase_add_test(test_case, kept_by_free_after_the_owner_exited);
    tcase_add_test(test_case, kept_by_the_other_frees);
    tcase_add_loop_test(test_case, kept_by_successful_calls, 0, SIZES);
    return test_case;
}
