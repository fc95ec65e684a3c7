/* heap/remote: blocks freed by other threads come back to their owner, whoever that is by then. */
#include "heap/remote.h"
#include "heap/lookup.h"
#include "heap/span.h"
#include "support/pattern.h"
#include "support/require.h"
#include "support/suite.h"
#include "unit/heap.h"
#include "unit/threads.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCKS_MAX = 8000 };

struct work {
    size_t size_bytes;
    size_t first; /* the blocks to free are [first, first + count) */
    size_t count;
    struct thread_heap *heap; /* of the thread that worked last */
    void *blocks[BLOCKS_MAX];
};

static void take_blocks(int index, void *context)
{
    struct work *work = context;
    (void)index;
    for (size_t i = work->first; i < work->first + work->count; i++) {
        work->blocks[i] = heap_allocate(work->size_bytes);
        require(work->blocks[i] != NULL);
        memset(work->blocks[i], (int)i, work->size_bytes);
    }
    work->heap = heap_self;
}

static void free_blocks(int index, void *context)
{
    struct work *work = context;
    (void)index;
    for (size_t i = work->first; i < work->first + work->count; i++)
        heap_free(work->blocks[i]);
    work->heap = thread_heap_peek();
}

static void do_with(struct helper *helper, thread_work *what, struct work *work, size_t first,
                    size_t count)
{
    work->first = first;
    work->count = count;
    helper_do(helper, what, work);
}

static size_t in_inbox(const struct thread_heap *heap)
{
    size_t count = 0;
    for (const struct batch *batch = atomic_load(&heap->inbox); batch != NULL; batch = batch->next)
        count += batch->count;
    return count;
}

static size_t in_outboxes(const struct thread_heap *heap)
{
    size_t count = 0;
    for (int i = 0; i < OUTBOX_COUNT; i++)
        count += heap->outboxes[i].batch != NULL ? heap->outboxes[i].batch->count : 0;
    return count;
}

/* The blocks are the main thread's; the helper frees them. */
START_TEST(small_blocks_travel_in_full_batches)
{
    static struct work work = {.size_bytes = 32, .count = 1000};
    struct helper *helper = helper_start();
    size_t sent = 0;
    take_blocks(0, &work);
    struct thread_heap *own = heap_self;
    do_with(helper, take_blocks, &work, 1000, 1);
    for (size_t i = 0; i < 1000; i++) {
        do_with(helper, free_blocks, &work, i, 1);
        sent += in_outboxes(work.heap) == 0 ? BATCH_SLOTS : 0;
        ck_assert_uint_eq(in_inbox(own), sent);
        ck_assert_uint_eq(in_outboxes(work.heap), i + 1 - sent);
    }
    ck_assert_uint_eq(sent, 1000 / BATCH_SLOTS * BATCH_SLOTS);
    expect_sound_heap();
    helper_end(helper); /* sends the rest */
    ck_assert_uint_eq(in_inbox(own), 1000);
    expect_sound_heap();
}
END_TEST

START_TEST(large_slots_do_not_wait_for_a_full_batch)
{
    static struct work work = {.size_bytes = 16384, .count = 100};
    struct helper *helper = helper_start();
    take_blocks(0, &work);
    struct thread_heap *own = heap_self;
    for (size_t i = 0; i < 60; i++) {
        do_with(helper, free_blocks, &work, i, 1);
        ck_assert_uint_lt(in_outboxes(work.heap) * work.size_bytes, BATCH_BYTES_MAX);
    }
    ck_assert_uint_ge(in_inbox(own), 56);
    expect_sound_heap();
    helper_end(helper);
}
END_TEST

/* What others freed is handed out again before the heap grows. */
START_TEST(the_owner_reuses_what_others_freed)
{
    static struct work work = {.size_bytes = 96, .count = 6000};
    struct helper *helper = helper_start();
    take_blocks(0, &work);
    size_t taken = units_taken();
    for (int round = 0; round < 20; round++) {
        do_with(helper, free_blocks, &work, 0, 6000);
        take_blocks(0, &work);
        ck_assert_uint_le(units_taken(), taken + 2);
    }
    expect_sound_heap();
    helper_end(helper);
    expect_sound_heap();
}
END_TEST

/* An owner that does not come: the one who frees empties the inbox, and whole spans go back. */
START_TEST(a_full_inbox_is_emptied_for_a_sleeping_owner)
{
    static struct work work = {.size_bytes = 1024};
    struct helper *owner = helper_start();
    start_heap();
    do_with(owner, take_blocks, &work, 0, BLOCKS_MAX);
    struct thread_heap *heap = work.heap;
    size_t taken = units_taken();
    free_blocks(0, &work);
    ck_assert_uint_lt(units_taken(), taken / 2);
    ck_assert_uint_lt(in_inbox(heap) * 1024, 2 << 20);
    expect_sound_heap();
    helper_end(owner);
    expect_sound_heap();
}
END_TEST

/* More owners than outboxes: a batch leaves when its place is needed, and nothing is lost. */
START_TEST(blocks_of_many_owners_are_told_apart)
{
    enum { OWNERS = 12, EACH = 300 };
    static struct work works[OWNERS];
    struct helper *owners[OWNERS];
    struct thread_heap *heaps[OWNERS];
    for (int i = 0; i < OWNERS; i++) {
        works[i].size_bytes = 80;
        owners[i] = helper_start();
        do_with(owners[i], take_blocks, &works[i], 0, EACH);
        heaps[i] = works[i].heap;
    }
    for (int j = 0; j < EACH; j++)
        for (int i = 0; i < OWNERS; i++)
            heap_free(works[i].blocks[j]);
    expect_sound_heap();
    thread_heap_flush(heap_self);
    for (int i = 0; i < OWNERS; i++)
        ck_assert_uint_eq(in_inbox(heaps[i]), EACH);
    expect_sound_heap();
    for (int i = 0; i < OWNERS; i++)
        helper_end(owners[i]);
    expect_sound_heap();
}
END_TEST

/*
 * While slots of A's are on their way to A, A ends and B adopts their spans: who opens A's inbox passes them on. Nothing
 * may be lost and nothing offered by a heap that no longer has the span.
 */
START_TEST(slots_follow_a_span_that_was_adopted)
{
    static struct work work = {.size_bytes = 64};
    static struct work adopted = {.size_bytes = 64};
    struct helper *first = helper_start(), *second = helper_start(), *freer = helper_start();
    do_with(second, take_blocks, &adopted, 0, 1);
    do_with(freer, take_blocks, &adopted, 1, 1);
    do_with(first, take_blocks, &work, 0, 2000);
    struct thread_heap *first_heap = work.heap;
    do_with(first, free_blocks, &work, 0, 1000); /* so that there is something to adopt */
    helper_end(first);
    do_with(freer, free_blocks, &work, 1000, 50); /* wait in the outbox */
    do_with(second, take_blocks, &adopted, 2, 1500);
    struct thread_heap *second_heap = adopted.heap;
    struct block block;
    ck_assert(lookup_block(work.blocks[1000], &block));
    ck_assert_ptr_eq(block.span->owner, second_heap);
    expect_sound_heap();
    do_with(freer, free_blocks, &work, 1050, 950);
    expect_sound_heap();
    helper_end(freer);
    expect_sound_heap();
    do_with(second, take_blocks, &adopted, 1502, 3000);
    do_with(second, free_blocks, &adopted, 1502, 3000);
    thread_heap_get();
    expect_sound_heap();
    helper_end(second);
    expect_sound_heap();
    ck_assert_ptr_ne(first_heap, second_heap);
    do_with(freer = helper_start(), free_blocks, &adopted, 0, 1502);
    helper_end(freer);
    expect_sound_heap();
}
END_TEST

/*
 * The heap of a thread that ended is taken over by another, while slots wait in its inbox whose span somebody else has
 * filled to the last slot meanwhile: they must go there, not into a list of the heap that had it before.
 */
START_TEST(a_heap_that_is_taken_over_passes_slots_on)
{
    static struct work work = {.size_bytes = 64};
    static struct work filled = {.size_bytes = 64};
    struct helper *first = helper_start(), *second = helper_start(), *freer = helper_start();
    do_with(second, take_blocks, &filled, 0, 1);
    do_with(first, take_blocks, &work, 0, 2000);
    struct thread_heap *first_heap = work.heap;
    do_with(first, free_blocks, &work, 0, 1000);
    do_with(freer, free_blocks, &work, 1000, 500); /* sent to the heap of the first */
    ck_assert_uint_ge(in_inbox(first_heap), 400);
    void *waiting = atomic_load(&first_heap->inbox)->slots[0];
    do_with(first, take_blocks, &filled, 1, 1); /* opens nothing: its buffer is full */
    helper_end(first);
    struct block block;
    ck_assert(lookup_block(waiting, &block));
    do_with(freer, free_blocks, &work, 1500, 500);
    do_with(second, take_blocks, &filled, 2, 6000);
    ck_assert(lookup_block(waiting, &block));
    ck_assert_ptr_eq(block.span->owner, filled.heap);
    expect_sound_heap();
    helper_end(freer);
    for (int i = 0; i < 3; i++) { /* three parked heaps at most, the first thread's among them */
        struct helper *next = helper_start();
        do_with(next, take_blocks, &work, (size_t)i * 300, 300);
        expect_sound_heap();
    }
    ck_assert_uint_eq(in_inbox(first_heap), 0);
    do_with(second, free_blocks, &filled, 2, 6000);
    expect_sound_heap();
}
END_TEST

/* A ring of threads: each frees what the one before it made. */
struct ring {
    atomic_uintptr_t places[8][64];
};

static void pass_on(int index, void *context)
{
    struct ring *ring = context;
    for (unsigned i = 0; i < 60000; i++) {
        size_t size_bytes = 16 + (i * 37 + (unsigned)index) % 700;
        unsigned char *block = heap_allocate(size_bytes);
        require(block != NULL);
        memcpy(block, &size_bytes, sizeof size_bytes);
        pattern_fill(block + 8, size_bytes - 8, (unsigned)size_bytes);
        uintptr_t old = atomic_exchange(&ring->places[(index + 1) % 4][i % 64], (uintptr_t)block);
        heap_free((void *)old);
        unsigned char *given = (unsigned char *)atomic_exchange(&ring->places[index][i % 64], 0);
        if (given == NULL)
            continue;
        memcpy(&size_bytes, given, sizeof size_bytes);
        require(pattern_holds(given + 8, size_bytes - 8, (unsigned)size_bytes));
        heap_free(given);
    }
}

START_TEST(threads_in_a_ring_free_for_each_other)
{
    static struct ring ring;
    for (int round = 0; round < 3; round++) {
        threads_run(4, pass_on, &ring);
        expect_sound_heap();
    }
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 64; j++)
            heap_free((void *)ring.places[i][j]);
    expect_sound_heap();
}
END_TEST

static TCase *remote(void)
{
    TCase *tests = tcase_create("remote");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, small_blocks_travel_in_full_batches);
    tcase_add_test(tests, large_slots_do_not_wait_for_a_full_batch);
    tcase_add_test(tests, the_owner_reuses_what_others_freed);
    tcase_add_test(tests, a_full_inbox_is_emptied_for_a_sleeping_owner);
    tcase_add_test(tests, blocks_of_many_owners_are_told_apart);
    tcase_add_test(tests, slots_follow_a_span_that_was_adopted);
    tcase_add_test(tests, a_heap_that_is_taken_over_passes_slots_on);
    tcase_add_test(tests, threads_in_a_ring_free_for_each_other);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {remote};
    return suite_run("heap/remote", makers, 1);
}
