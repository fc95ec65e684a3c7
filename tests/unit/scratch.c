/* own/scratch, own/text: arenas that are there already, and what is copied into an arena. */
#include "gcalloc/scratch.h"
#include "gcalloc/text.h"
#include "support/suite.h"
#include "unit/heap.h"
#include "unit/threads.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- scratch arenas ---- */

START_TEST(a_thread_has_two)
{
    gca_arena *first = gca_scratch(NULL);
    gca_arena *second = gca_scratch(first);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(second);
    ck_assert_ptr_ne(first, second);
    ck_assert_ptr_eq(gca_scratch(NULL), first);
    ck_assert_ptr_eq(gca_scratch(second), first);
    ck_assert_uint_eq(chunks_of_heap(), 2);
}
END_TEST

static char *last_object;

static char *work(gca_arena *results, int depth)
{
    gca_with_scratch(temporary, results);
    ck_assert_ptr_ne(temporary, results);
    memset(gca_arena_alloc(temporary, 3000), depth, 3000);
    last_object = gca_arena_alloc(temporary, 1);
    if (depth == 0)
        return gca_arena_strdup(results, "deep");
    return gca_arena_strdup(results, work(temporary, depth - 1));
}

START_TEST(a_scope_ends_what_it_took)
{
    gca_scope outer = gca_scratch_begin(NULL);
    char *result = work(outer.arena, 20);
    ck_assert_str_eq(result, "deep");
    gca_scratch_end(outer);
    gca_arena_stats stats;
    gca_arena_get_stats(gca_scratch(NULL), &stats);
    ck_assert_uint_eq(stats.used_bytes, 0);
    gca_arena_get_stats(gca_scratch(gca_scratch(NULL)), &stats);
    ck_assert_uint_eq(stats.used_bytes, 0);
    expect_sound_heap();
}
END_TEST

static void use_scratch(int index, void *context)
{
    *(gca_arena **)context = gca_scratch(NULL);
    memset(gca_arena_alloc(gca_scratch(NULL), 100000), index, 100000);
}

START_TEST(a_thread_takes_its_own_with_it)
{
    gca_arena *other;
    start_heap();
    threads_run_one(use_scratch, &other);
    ck_assert_ptr_nonnull(other);
    ck_assert_uint_eq(chunks_of_heap(), 0);
    expect_sound_heap();
}
END_TEST

/* ---- frames ---- */

START_TEST(a_frame_stays_until_the_ring_has_come_around)
{
    gca_frame *frame = gca_frame_new(3, &(gca_arena_options){.name = "ring"});
    uint64_t *kept[3] = {NULL};
    ck_assert_ptr_nonnull(frame);
    for (uint64_t i = 0; i < 100; i++) {
        gca_arena *arena = gca_frame_swap(frame);
        ck_assert_ptr_eq(arena, gca_frame_now(frame));
        kept[i % 3] = gca_arena_make(arena, uint64_t);
        *kept[i % 3] = i;
        for (uint64_t back = 0; back < 3 && back <= i; back++)
            ck_assert_uint_eq(*kept[(i - back) % 3], i - back);
    }
    gca_frame_free(frame);
    gca_frame_free(NULL);
    ck_assert_uint_eq(chunks_of_heap(), 0);
    errno = 0;
    ck_assert_ptr_null(gca_frame_new(1, NULL));
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(a_ring_has_one_budget)
{
    gca_frame *frame = gca_frame_new(2, &(gca_arena_options){.budget_bytes = 100 * 1024});
    ck_assert_ptr_nonnull(frame);
    ck_assert_ptr_nonnull(gca_arena_alloc(gca_frame_swap(frame), 40 * 1024));
    ck_assert_ptr_null(gca_arena_alloc(gca_frame_swap(frame), 40 * 1024));
    ck_assert_ptr_nonnull(gca_arena_alloc(gca_frame_swap(frame), 40 * 1024));
    gca_frame_free(frame);
    ck_assert_ptr_null(gca_frame_new(2, &(gca_arena_options){.budget_bytes = 20 * 1024}));
    ck_assert_uint_eq(chunks_of_heap(), 0);
}
END_TEST

/* ---- text ---- */

START_TEST(copies_of_text)
{
    gca_arena *arena = gca_arena_new(NULL);
    ck_assert_str_eq(gca_arena_strdup(arena, ""), "");
    ck_assert_str_eq(gca_arena_strdup(arena, "text"), "text");
    ck_assert_str_eq(gca_arena_strndup(arena, "text", 2), "te");
    ck_assert_str_eq(gca_arena_strndup(arena, "text", 200), "text");
    ck_assert_str_eq(gca_arena_concat(arena, NULL), "");
    ck_assert_str_eq(gca_arena_concat(arena, "a", "", "bc", "def", NULL), "abcdef");
    uint64_t words[3] = {1, 2, 3};
    uint64_t *copy = gca_arena_memdup(arena, words, sizeof words);
    ck_assert_uint_eq((uintptr_t)copy % 16, 0);
    ck_assert_mem_eq(copy, words, sizeof words);
    uint64_t *outlives = gca_copy_out(copy, sizeof words);
    gca_arena_free(arena);
    ck_assert_mem_eq(outlives, words, sizeof words);
    heap_free(outlives);
    expect_sound_heap();
}
END_TEST

static void expect_file(gca_arena *arena, size_t size_bytes)
{
    char path[] = "/tmp/gcalloc-scratch-XXXXXX";
    char byte[1000];
    size_t read_bytes = 1;
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    memset(byte, 'x', sizeof byte);
    for (size_t done = 0; done < size_bytes; done += sizeof byte) {
        size_t part = size_bytes - done < sizeof byte ? size_bytes - done : sizeof byte;
        ck_assert_int_eq(write(descriptor, byte, part), (ssize_t)part);
    }
    close(descriptor);
    char *text = gca_arena_read_file(arena, path, &read_bytes);
    unlink(path);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(read_bytes, size_bytes);
    ck_assert_uint_eq(strlen(text), size_bytes);
    ck_assert_uint_eq(strspn(text, "x"), size_bytes);
}

START_TEST(files_are_read_whole)
{
    gca_arena *arena = gca_arena_new(NULL);
    expect_file(arena, 0);
    expect_file(arena, 1);
    expect_file(arena, 4095);
    expect_file(arena, 4096);
    expect_file(arena, 4097);
    expect_file(arena, 3000000);
    size_t size_bytes = 0;
    char *maps = gca_arena_read_file(arena, "/proc/self/maps", &size_bytes); /* the kernel says 0 bytes of it */
    ck_assert_ptr_nonnull(maps);
    ck_assert_uint_gt(size_bytes, 100);
    ck_assert_uint_eq(strlen(maps), size_bytes);
    errno = 0;
    ck_assert_ptr_null(gca_arena_read_file(arena, "/no/such/file", NULL));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_ptr_null(gca_arena_read_file(arena, "/", NULL));
    ck_assert_int_eq(errno, EISDIR);
    gca_arena_free(arena);
}
END_TEST

static TCase *scratch(void)
{
    TCase *tests = tcase_create("scratch");
    tcase_add_test(tests, a_thread_has_two);
    tcase_add_test(tests, a_scope_ends_what_it_took);
    tcase_add_test(tests, a_thread_takes_its_own_with_it);
    tcase_add_test(tests, a_frame_stays_until_the_ring_has_come_around);
    tcase_add_test(tests, a_ring_has_one_budget);
    tcase_add_test(tests, copies_of_text);
    tcase_add_test(tests, files_are_read_whole);
    return tests;
}

int main(void)
{
    return suite_run("own/scratch", (test_case_maker *[]){scratch}, 1);
}
