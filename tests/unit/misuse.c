/*
 * heap/misuse: a slot that is found free when it is put back, since two threads freed it at once, is reported when no
 * lock is held: the program's handler of SIGABRT may allocate.
 */
#include "heap/misuse.h"
#include "heap/lookup.h"
#include "heap/span.h"
#include "heap/walk.h"
#include "support/require.h"
#include "support/suite.h"
#include "unit/heap.h"
#include "unit/threads.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 400, REPORTED = 42 };

struct work {
    size_t size_bytes;
    void *blocks[BLOCKS];
};

static void take_blocks(int index, void *context)
{
    struct work *work = context;
    (void)index;
    for (size_t i = 0; i < BLOCKS; i++)
        require((work->blocks[i] = heap_allocate(work->size_bytes)) != NULL);
}

static void free_block(int index, void *context)
{
    (void)index;
    heap_free(context);
}

/* One of two frees at once is seen by the state; what the other leaves behind is as if it had been the only one. */
static void free_leaving_state(void *pointer, void (*free_it)(void *pointer))
{
    struct block block;
    require(lookup_block(pointer, &block));
    uint8_t *state = &block.span->states[block.index];
    uint8_t before = *state;
    free_it(pointer);
    *state = before;
}

static void free_by_another(void *pointer)
{
    threads_run_one(free_block, pointer);
}

/* ---- what happens at the report ---- */

/* All of the heap's locks are free, and it works. */
static void on_abort(int number)
{
    (void)number;
    const char *problem = heap_verify(false);
    for (size_t size_bytes = 1; problem == NULL && size_bytes < 100000; size_bytes += size_bytes / 2 + 1) {
        void *block = heap_allocate(size_bytes);
        if (block == NULL)
            problem = "no memory";
        heap_free(block);
    }
    heap_trim();
    _exit(problem == NULL ? REPORTED : 1);
}

static void abort_with_handler(void)
{
    setenv("GCALLOC_OPTIONS", "on_error=abort", 1);
    signal(SIGABRT, on_abort);
    start_heap();
}

static char log_path[] = "/tmp/gcalloc-misuse-XXXXXX";

static void report_to_file(void)
{
    char options[100];
    int descriptor = mkstemp(log_path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    snprintf(options, sizeof options, "on_error=report,log_file=%s", log_path);
    setenv("GCALLOC_OPTIONS", options, 1);
    start_heap();
}

static char text[65536]; /* of the last look at the reports */

static size_t reports(void)
{
    size_t count = 0;
    FILE *file = fopen(log_path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    unlink(log_path);
    for (const char *at = text; (at = strstr(at, "double free of ")) != NULL; at++)
        count++;
    return count;
}

/* ---- where it is found ---- */

static void *freed_twice_in_buffer(struct work *work)
{
    take_blocks(0, work);
    free_leaving_state(work->blocks[0], heap_free);
    heap_free(work->blocks[0]);
    return work->blocks[0];
}

/* In the batch of one thread, and offered by the span. */
static void *freed_twice_in_outbox(struct work *work)
{
    threads_run_one(take_blocks, work);
    free_leaving_state(work->blocks[0], free_by_another);
    heap_trim();
    heap_free(work->blocks[0]);
    return work->blocks[0];
}

START_TEST(emptying_buffers)
{
    static struct work work = {.size_bytes = 48};
    abort_with_handler();
    freed_twice_in_buffer(&work);
    heap_trim();
}
END_TEST

START_TEST(a_full_buffer)
{
    static struct work work = {.size_bytes = 48}, more = {.size_bytes = 48};
    abort_with_handler();
    take_blocks(0, &more);
    freed_twice_in_buffer(&work);
    for (size_t i = 0; i < BLOCKS; i++)
        heap_free(more.blocks[i]);
}
END_TEST

START_TEST(a_full_outbox)
{
    static struct work work = {.size_bytes = 48};
    abort_with_handler();
    freed_twice_in_outbox(&work);
    for (size_t i = 1; i < BLOCKS; i++)
        heap_free(work.blocks[i]);
}
END_TEST

static void free_twice_and_end(int index, void *context)
{
    (void)index;
    freed_twice_in_buffer(context);
}

/* Too much in its buffers for a heap to stay warm: they are emptied by the thread that ends. */
static void free_much_and_end(int index, void *context)
{
    static struct work more = {.size_bytes = 16384};
    free_twice_and_end(index, context);
    for (size_t size_bytes = 4096; size_bytes <= 16384; size_bytes += 2048) {
        more.size_bytes = size_bytes;
        take_blocks(index, &more);
        for (size_t i = 0; i < BLOCKS; i++)
            heap_free(more.blocks[i]);
    }
}

START_TEST(the_end_of_a_thread)
{
    static struct work work = {.size_bytes = 48};
    abort_with_handler();
    threads_run_one(free_much_and_end, &work);
}
END_TEST

START_TEST(adopting_a_span)
{
    static struct work work = {.size_bytes = 48}, more = {.size_bytes = 48};
    abort_with_handler();
    threads_run_one(free_twice_and_end, &work);
    take_blocks(0, &more);
}
END_TEST

/* ---- going on ---- */

START_TEST(each_is_reported_once)
{
    static struct work work = {.size_bytes = 48}, other = {.size_bytes = 64};
    report_to_file();
    freed_twice_in_buffer(&work);
    freed_twice_in_outbox(&other);
    heap_trim();
    heap_trim();
    ck_assert_uint_eq(reports(), 2);
    expect_sound_heap();
}
END_TEST

static void give_up_spans(struct work *work, size_t first)
{
    for (size_t i = first; i < BLOCKS; i++)
        heap_free(work->blocks[i]);
    heap_trim();
}

/* The span is gone when the second of the entries is put back. */
START_TEST(a_slot_of_a_span_that_was_given_up)
{
    static struct work work = {.size_bytes = 8192}, other = {.size_bytes = 8192};
    report_to_file();
    take_blocks(0, &work);
    take_blocks(0, &other);
    heap_free(other.blocks[0]);
    give_up_spans(&work, 1);
    free_leaving_state(work.blocks[0], heap_free);
    heap_free(other.blocks[1]);
    heap_free(work.blocks[0]);
    heap_trim();
    give_up_spans(&other, 2);
    ck_assert_uint_eq(reports(), 1);
    expect_sound_heap();
}
END_TEST

/* Two threads had it, and what came through the owner's buffer was the last of the span. */
START_TEST(a_slot_in_a_batch_whose_span_was_given_up)
{
    static struct work work = {.size_bytes = 8192}, other = {.size_bytes = 8192};
    report_to_file();
    take_blocks(0, &work);
    take_blocks(0, &other);
    give_up_spans(&work, 1);
    free_leaving_state(work.blocks[0], free_by_another); /* in the inbox from now on */
    struct batch *_Atomic waiting = atomic_exchange(&heap_self->inbox, NULL);
    ck_assert_ptr_nonnull(waiting);
    give_up_spans(&other, 1);
    heap_free(work.blocks[0]);
    heap_trim();
    atomic_store(&heap_self->inbox, waiting);
    heap_trim();
    ck_assert_uint_eq(reports(), 1);
    expect_sound_heap();
}
END_TEST

/* A program that goes on and on does not fill the disk. */
START_TEST(reports_end_after_a_hundred)
{
    report_to_file();
    void *block = allocate(48);
    heap_free(block);
    for (int i = 0; i < 300; i++)
        heap_free(block);
    ck_assert_uint_eq(reports(), 100);
    ck_assert_ptr_nonnull(strstr(text, "more errors like these are not reported\n"));
    expect_sound_heap();
}
END_TEST

START_TEST(more_than_can_be_noted)
{
    static struct work work = {.size_bytes = 4096};
    report_to_file();
    take_blocks(0, &work);
    for (size_t i = 0; i < 60; i++) {
        free_leaving_state(work.blocks[i], heap_free);
        heap_free(work.blocks[i]);
    }
    heap_trim();
    ck_assert_uint_ge(reports(), 32);
    expect_sound_heap();
}
END_TEST

static TCase *noted(void)
{
    TCase *tests = tcase_create("a double free found late");
    tcase_set_timeout(tests, 60);
    tcase_add_exit_test(tests, emptying_buffers, REPORTED);
    tcase_add_exit_test(tests, a_full_buffer, REPORTED);
    tcase_add_exit_test(tests, a_full_outbox, REPORTED);
    tcase_add_exit_test(tests, the_end_of_a_thread, REPORTED);
    tcase_add_exit_test(tests, adopting_a_span, REPORTED);
    tcase_add_test(tests, each_is_reported_once);
    tcase_add_test(tests, a_slot_of_a_span_that_was_given_up);
    tcase_add_test(tests, a_slot_in_a_batch_whose_span_was_given_up);
    tcase_add_test(tests, reports_end_after_a_hundred);
    tcase_add_test(tests, more_than_can_be_noted);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {noted};
    return suite_run("heap/misuse", makers, 1);
}
