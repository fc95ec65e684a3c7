/* calloc's memory is zero wherever it comes from: fresh, used by a dirty block before, or returned
 * by the kernel. */
#include "preload/conformance/cases.h"
#include "support/pattern.h"
#include "support/subject.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const size_t sizes[] = {1,       7,
                               16,      24,
                               48,      100,
                               128,     500,
                               512,     1000,
                               2000,    4096,
                               5000,    8192,
                               12288,   16384,
                               30000,   32768,
                               65536,   65537,
                               100000,  131072,
                               262144,  300000,
                               1 << 20, (2 << 20) - 1,
                               2 << 20, (2 << 20) + 1,
                               3 << 20, 5 << 20,
                               33 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes, MANY = 64 };

static unsigned held_at_once(size_t size)
{
    return size > 100000 ? 3 : MANY;
}

START_TEST(zero_after_dirty_reuse)
{
    size_t size = sizes[_i];
    unsigned count = held_at_once(size);
    unsigned char *blocks[MANY];

    for (int round = 0; round < 4; round++) {
        for (unsigned i = 0; i < count; i++) {
            blocks[i] = round % 2 == 0 ? calloc(1, size) : calloc(size, 1);
            ck_assert_ptr_nonnull(blocks[i]);
            ck_assert_msg(all_zero(blocks[i], size), "calloc(%zu) of round %d, block %u", size,
                          round, i);
            memset(blocks[i], 0xee, malloc_usable_size(blocks[i]));
        }
        for (unsigned i = 0; i < count; i++)
            free(blocks[i * 5 % count]);
    }
    ck_assert(subject_verify());
}
END_TEST

/* Memory that served one size is cut up for another. */
START_TEST(zero_after_reuse_by_another_size)
{
    for (int round = 0; round < 6; round++) {
        size_t dirty_size = sizes[(_i + 5 * round) % SIZES], size = sizes[_i];
        unsigned count = held_at_once(dirty_size);
        unsigned char *blocks[MANY], *zeroed;

        for (unsigned i = 0; i < count; i++) {
            blocks[i] = malloc(dirty_size);
            memset(blocks[i], 0xdd, malloc_usable_size(blocks[i]));
        }
        for (unsigned i = 0; i < count; i++)
            free(blocks[i]);
        zeroed = calloc(size, 1);
        ck_assert(all_zero(zeroed, size));
        memset(zeroed, 0xcc, malloc_usable_size(zeroed));
        free(zeroed);
    }
    ck_assert(subject_verify());
}
END_TEST

/* The tail that realloc leaves or takes is dirty as well. */
START_TEST(zero_after_realloc)
{
    size_t size = sizes[_i];

    for (int round = 0; round < 3; round++) {
        unsigned char *block = calloc(1, size), *zeroed;

        memset(block, 0xaa, size);
        block = realloc(block, size / 2 + 1);
        zeroed = calloc(1, size);
        ck_assert(all_zero(zeroed, size));
        memset(zeroed, 0xab, size);
        block = realloc(block, size * 2);
        memset(block, 0xac, size * 2);
        free(block);
        free(zeroed);
        zeroed = calloc(2, size);
        ck_assert(all_zero(zeroed, 2 * size));
        free(zeroed);
    }
}
END_TEST

START_TEST(zero_after_trim)
{
    size_t size = sizes[_i];
    unsigned char *block = malloc(size);

    memset(block, 0x99, size);
    free(block);
    malloc_trim(0);
    block = calloc(1, size);
    ck_assert(all_zero(block, size));
    free(block);
    block = memalign(4096, size);
    memset(block, 0x98, size);
    free(block);
    block = calloc(1, size);
    ck_assert(all_zero(block, size));
    free(block);
}
END_TEST

static void *free_dirty(void *block)
{
    memset(block, 0x77, malloc_usable_size(block));
    free(block);
    return NULL;
}

START_TEST(zero_after_free_by_another_thread)
{
    size_t size = sizes[_i];

    for (int round = 0; round < 20; round++) {
        void *block = calloc(1, size);
        pthread_t thread;

        ck_assert(all_zero(block, size));
        ck_assert_int_eq(pthread_create(&thread, NULL, free_dirty, block), 0);
        pthread_join(thread, NULL);
    }
    ck_assert(subject_verify());
}
END_TEST

TCase *calloc_case(void)
{
    TCase *test_case = tcase_create("calloc");

    tcase_set_timeout(test_case, 60);
    tcase_add_loop_test(test_case, zero_after_dirty_reuse, 0, SIZES);
    tcase_add_loop_test(test_case, zero_after_reuse_by_another_size, 0, SIZES);
    tcase_add_loop_test(test_case, zero_after_realloc, 0, SIZES);
    tcase_add_loop_test(test_case, zero_after_trim, 0, SIZES);
    tcase_add_loop_test(test_case, zero_after_free_by_another_thread, 0, SIZES);
    return test_case;
}
