/* heap/thread: heaps of threads that start, end, take over, adopt and vanish in a fork. */
#include "heap/thread.h"
#include "heap/lookup.h"
#include "heap/remote.h"
#include "heap/span.h"
#include "property/random.h"
#include "support/pattern.h"
#include "support/require.h"
#include "support/suite.h"
#include "unit/heap.h"
#include "unit/sanitizers.h"
#include "unit/threads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 2000 };

struct held {
    struct thread_heap *heap;
    size_t size_bytes;
    void *blocks[BLOCKS];
};

static void take_blocks(int index, void *context)
{
    struct held *held = context;
    (void)index;
    for (unsigned i = 0; i < BLOCKS; i++) {
        held->blocks[i] = heap_allocate(held->size_bytes);
        require(held->blocks[i] != NULL);
        pattern_fill(held->blocks[i], held->size_bytes, i);
    }
    held->heap = heap_self;
}

static void free_odd_blocks(int index, void *context)
{
    struct held *held = context;
    (void)index;
    for (unsigned i = 1; i < BLOCKS; i += 2) {
        require(pattern_holds(held->blocks[i], held->size_bytes, i));
        heap_free(held->blocks[i]);
        held->blocks[i] = NULL;
    }
    held->heap = heap_self;
}

static void take_and_free_odd(int index, void *context)
{
    take_blocks(index, context);
    free_odd_blocks(index, context);
}

static void take_and_free_odd_of_index(int index, void *context)
{
    take_and_free_odd(0, (struct held *)context + index);
}

static void expect_patterns(const struct held *held)
{
    size_t wrong = 0;
    for (unsigned i = 0; i < BLOCKS; i++)
        wrong += held->blocks[i] != NULL && !pattern_holds(held->blocks[i], held->size_bytes, i);
    ck_assert_uint_eq(wrong, 0);
}

static void count_heap(struct thread_heap *heap, void *context)
{
    (void)heap;
    ++*(size_t *)context;
}

static size_t heap_count(void)
{
    size_t count = 0;
    thread_heap_each(count_heap, &count);
    return count;
}

START_TEST(a_thread_has_no_heap_before_its_first_block)
{
    ck_assert_ptr_null(thread_heap_peek());
    ck_assert_uint_eq(heap_count(), 0);
    heap_free(NULL);
    ck_assert_ptr_null(thread_heap_peek());
    allocate(10);
    ck_assert_ptr_nonnull(thread_heap_peek());
    ck_assert_uint_eq(heap_count(), 1);
    ck_assert_int_eq(heap_self->thread_id, gettid());
}
END_TEST

START_TEST(threads_at_the_same_time_have_their_own_heaps)
{
    enum { HELPERS = 5 };
    struct helper *helpers[HELPERS];
    static struct held held[HELPERS];
    for (int i = 0; i < HELPERS; i++) {
        held[i].size_bytes = 48;
        helpers[i] = helper_start();
        helper_do(helpers[i], take_blocks, &held[i]);
        for (int j = 0; j < i; j++)
            ck_assert_ptr_ne(held[j].heap, held[i].heap);
    }
    ck_assert_uint_eq(heap_count(), HELPERS);
    expect_sound_heap();
    for (int i = 0; i < HELPERS; i++) {
        ck_assert(!held[i].heap->parked);
        helper_end(helpers[i]);
        ck_assert(held[i].heap->parked);
    }
    expect_sound_heap();
}
END_TEST

START_TEST(the_next_thread_takes_a_parked_heap_over)
{
    static struct held held = {.size_bytes = 100};
    start_heap(); /* or this thread takes the parked heap over when it frees */
    threads_run_one(take_and_free_odd, &held);
    struct thread_heap *first = held.heap;
    for (int i = 0; i < 20; i++) {
        static struct held again = {.size_bytes = 100};
        threads_run_one(take_and_free_odd, &again);
        ck_assert_ptr_eq(again.heap, first);
        ck_assert_uint_eq(heap_count(), 2);
        for (int j = 0; j < BLOCKS; j++)
            if (again.blocks[j] != NULL)
                heap_free(again.blocks[j]);
    }
    expect_patterns(&held);
    expect_sound_heap();
}
END_TEST

/* Hundreds of threads, no more spans than one needs: a program of short-lived threads does not grow. */
START_TEST(short_lived_threads_leave_nothing_behind)
{
    size_t after_first = 0;
    for (int i = 0; i < 300; i++) {
        static struct held held = {.size_bytes = 64};
        threads_run_one(take_and_free_odd, &held);
        for (int j = 0; j < BLOCKS; j += 2)
            heap_free(held.blocks[j]);
        if (i == 10)
            after_first = units_taken();
    }
    ck_assert_uint_le(units_taken(), after_first + 4);
    ck_assert_uint_le(heap_count(), 2);
    expect_sound_heap();
}
END_TEST

/* Slots that an exited thread has left serve others, with every class of small slot. */
START_TEST(spans_of_exited_threads_are_adopted)
{
    static struct held left = {.size_bytes = 0}, taken = {.size_bytes = 0};
    left.size_bytes = taken.size_bytes = class_slot_bytes[_i];
    allocate(CLASS_BYTES_MAX +
             1); /* so that this thread has a heap before the other parks its own */
    threads_run_one(take_and_free_odd, &left);
    size_t before = units_taken();
    take_blocks(0, &taken);
    size_t inside = 0;
    for (int i = 0; i < BLOCKS; i++) {
        struct block block;
        ck_assert(lookup_block(taken.blocks[i], &block));
        ck_assert_ptr_eq(block.span->owner, heap_self);
        for (int j = 0; j < BLOCKS; j += 2) {
            inside +=
                (uintptr_t)left.blocks[j] - block.span->start < block.span->unit_count * UNIT_BYTES;
            if ((uintptr_t)left.blocks[j] - block.span->start < block.span->unit_count * UNIT_BYTES)
                break;
        }
    }
    ck_assert_uint_ge(inside, BLOCKS / 2 - 2);
    size_t grown_bytes = (units_taken() - before) * UNIT_BYTES;
    ck_assert_uint_le(grown_bytes, BLOCKS * taken.size_bytes * 5 / 8 + 20 * UNIT_BYTES);
    expect_patterns(&left);
    expect_patterns(&taken);
    expect_sound_heap();
}
END_TEST

static pthread_key_t late_key;
static int late_rounds;

/* Allocates and frees in every round of destructors, last of all after the heap has been parked. */
static void allocate_late(void *argument)
{
    struct held *held = argument;
    for (unsigned i = 0; i < 200; i++) {
        void *block = heap_allocate(held->size_bytes);
        require(block != NULL);
        pattern_fill(block, held->size_bytes, i);
        if (held->blocks[i] != NULL) {
            require(pattern_holds(held->blocks[i], held->size_bytes, i));
            heap_free(held->blocks[i]);
        }
        held->blocks[i] = block;
    }
    if (++late_rounds < DESTRUCTOR_ROUNDS)
        pthread_setspecific(late_key, argument);
}

static void leave_late_work(int index, void *context)
{
    (void)index;
    require(heap_allocate(10) != NULL);
    pthread_setspecific(late_key, context);
}

START_TEST(destructors_may_still_allocate_and_free)
{
    static struct held held = {.size_bytes = 40};
    start_heap(); /* the heap's key comes first, so its destructor runs before this one */
    ck_assert_int_eq(pthread_key_create(&late_key, allocate_late), 0);
    for (int i = 0; i < 30; i++) {
        late_rounds = 0;
        threads_run_one(leave_late_work, &held);
        ck_assert_int_eq(late_rounds, DESTRUCTOR_ROUNDS);
    }
    for (unsigned i = 0; i < 200; i++)
        ck_assert(pattern_holds(held.blocks[i], held.size_bytes, i));
    ck_assert_uint_le(heap_count(), 3);
    expect_sound_heap();
}
END_TEST

/* Runs in the child: every block that lived is as it was, and what the vanished threads had free can be had. */
static void use_what_vanished(struct held *held, int count)
{
    struct random random = {3};
    static struct held more[4];
    require(heap_verify(true) == NULL);
    for (int i = 0; i < count; i++)
        for (unsigned j = 0; j < BLOCKS; j++)
            require(held[i].blocks[j] == NULL ||
                    pattern_holds(held[i].blocks[j], held[i].size_bytes, j));
    for (int i = 0; i < 4; i++) {
        more[i].size_bytes = held[i % count].size_bytes;
        take_blocks(0, &more[i]);
    }
    for (int i = 0; i < count; i++)
        for (unsigned j = 0; j < BLOCKS; j++) {
            if (held[i].blocks[j] == NULL || random_below(&random, 2) == 0)
                continue;
            require(pattern_holds(held[i].blocks[j], held[i].size_bytes, j));
            heap_free(held[i].blocks[j]);
            held[i].blocks[j] = NULL;
        }
    for (int i = 0; i < 4; i++)
        free_odd_blocks(0, &more[i]);
    require(heap_verify(true) == NULL);
    if (CHILDREN_START_THREADS) {
        threads_run_one(take_and_free_odd, &more[0]);
        threads_run(3, take_and_free_odd_of_index, more);
    }
    const char *problem = heap_verify(true);
    if (problem != NULL)
        dprintf(STDERR_FILENO, "in the child: %s\n", problem);
    _exit(problem != NULL);
}

static void expect_child_succeeds(pid_t child)
{
    int status;
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child's status is %x",
                  (unsigned)status);
}

/* The helpers live when the process forks: their heaps are orphans in the child. */
START_TEST(a_child_rebuilds_the_heaps_of_vanished_threads)
{
    enum { HELPERS = 3 };
    static struct held held[HELPERS] = {
        {.size_bytes = 16}, {.size_bytes = 200}, {.size_bytes = 3000}};
    struct helper *helpers[HELPERS];
    for (int i = 0; i < HELPERS; i++) {
        helpers[i] = helper_start();
        helper_do(helpers[i], take_and_free_odd, &held[i]);
    }
    for (unsigned i = 0; i < BLOCKS / 4; i += 2) { /* and some wait in outboxes */
        heap_free(held[0].blocks[i]);
        held[0].blocks[i] = NULL;
    }
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        use_what_vanished(held, HELPERS);
    expect_child_succeeds(child);
    expect_sound_heap();
    for (int i = 0; i < HELPERS; i++) {
        expect_patterns(&held[i]);
        helper_end(helpers[i]);
    }
    expect_sound_heap();
}
END_TEST

/* Also the slots that waited in a vanished thread's buffers and inbox: the child takes as many, and the heap is not larger. */
START_TEST(a_child_gets_all_that_vanished_threads_had_free)
{
    static struct held held = {.size_bytes = 1024};
    struct helper *helper = helper_start();
    start_heap();
    helper_do(helper, take_and_free_odd, &held);
    for (unsigned i = 0; i < 800; i += 2)
        heap_free(held.blocks[i]);
    size_t before = units_taken();
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < BLOCKS / 2 + 400; i++)
            require(heap_allocate(held.size_bytes) != NULL);
        require(units_taken() <= before);
        require(heap_verify(true) == NULL);
        _exit(0);
    }
    expect_child_succeeds(child);
    helper_end(helper);
}
END_TEST

enum { KEPT_BLOCKS = 5, KEPT_UNITS = 4 };

static void keep_large_blocks(int index, void *context)
{
    void *blocks[KEPT_BLOCKS];
    (void)index;
    for (int i = 0; i < KEPT_BLOCKS; i++)
        require((blocks[i] = heap_allocate(KEPT_UNITS * UNIT_BYTES)) != NULL);
    for (int i = 0; i < KEPT_BLOCKS; i++)
        heap_free(blocks[i]);
    *(uint32_t *)context = thread_heap_peek()->kept_units;
}

START_TEST(a_child_gets_the_large_blocks_that_vanished_threads_kept)
{
    struct helper *helper = helper_start();
    uint32_t kept = 0;
    start_heap();
    helper_do(helper, keep_large_blocks, &kept);
    ck_assert_uint_eq(kept, KEPT_BLOCKS * KEPT_UNITS);
    size_t before = units_taken();
    pid_t child = fork();
    if (child == 0) {
        thread_heap_rebuild();
        require(units_taken() == before - kept);
        require(heap_verify(true) == NULL);
        _exit(0);
    }
    expect_child_succeeds(child);
    helper_end(helper);
}
END_TEST

static void stay_busy(int index, void *context)
{
    struct random random = {(uint64_t)index};
    void *blocks[500] = {NULL};
    while (!atomic_load((atomic_bool *)context)) {
        size_t i = random_below(&random, 500);
        heap_free(blocks[i]);
        blocks[i] = heap_allocate(random_size(&random, 300000));
        require(blocks[i] != NULL);
    }
    for (int i = 0; i < 500; i++)
        heap_free(blocks[i]);
}

/* Forks while others are anywhere in malloc and free; the child of a child too. */
static void fork_often(int index, void *context)
{
    if (index != 0) {
        stay_busy(index, context);
        return;
    }
    static struct held held = {.size_bytes = 64};
    take_and_free_odd(0, &held);
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        int status;
        if (child == 0 && i % 4 == 0 && (child = fork()) > 0) {
            waitpid(child, &status, 0);
            _exit(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
        }
        if (child == 0)
            use_what_vanished(&held, 1);
        require(child > 0 && waitpid(child, &status, 0) == child);
        if (status != 0)
            dprintf(STDERR_FILENO, "child %d ended with status %x\n", i, (unsigned)status);
        require(status == 0);
    }
    atomic_store((atomic_bool *)context, true);
}

START_TEST(a_process_forks_while_threads_allocate)
{
    atomic_bool stop = false;
    start_heap();
    threads_run(4, fork_often, &stop);
    expect_sound_heap();
}
END_TEST

static void *take_first(int how, size_t size_bytes)
{
    switch (how) {
    case 0:
        return heap_allocate(size_bytes);
    case 1:
        return heap_allocate_zeroed(size_bytes);
    case 2:
        return heap_allocate_leaf(size_bytes);
    default:
        return heap_allocate_aligned(size_bytes, 32);
    }
}

/* The loader's first call is calloc. With a collector a block must not fill its slot, the first as little as any other. */
START_TEST(the_first_call_of_all_may_be_any)
{
    static const size_t sizes[] = {32, CLASS_BYTES_MAX, CLASS_BYTES_MAX * 2};
    size_t size_bytes = sizes[_i % 3];
    setenv("GCALLOC_OPTIONS", "gc", 1);
    void *first = take_first(_i / 3, size_bytes);
    ck_assert_ptr_nonnull(first);
    ck_assert_uint_ge(lookup_usable_size(first), size_bytes);
    struct block block;
    ck_assert(lookup_block((char *)first + size_bytes, &block));
    ck_assert_uint_eq(block.start, (uintptr_t)first);
    expect_sound_heap();
}
END_TEST

static TCase *thread(void)
{
    TCase *tests = tcase_create("thread");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, the_first_call_of_all_may_be_any, 0, 12);
    tcase_add_test(tests, a_thread_has_no_heap_before_its_first_block);
    tcase_add_test(tests, threads_at_the_same_time_have_their_own_heaps);
    tcase_add_test(tests, the_next_thread_takes_a_parked_heap_over);
    tcase_add_test(tests, short_lived_threads_leave_nothing_behind);
    tcase_add_loop_test(tests, spans_of_exited_threads_are_adopted, 0, (int)class_of(512) + 1);
    tcase_add_test(tests, destructors_may_still_allocate_and_free);
    tcase_add_test(tests, a_child_rebuilds_the_heaps_of_vanished_threads);
    tcase_add_test(tests, a_child_gets_all_that_vanished_threads_had_free);
    tcase_add_test(tests, a_child_gets_the_large_blocks_that_vanished_threads_kept);
    tcase_add_test(tests, a_process_forks_while_threads_allocate);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {thread};
    return suite_run("heap/thread", makers, 1);
}
