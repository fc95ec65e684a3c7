/* heap/birth: every block carries the birth of its time, and nothing else about it changes. */
#include "heap/birth.h"
#include "heap/fork.h"
#include "heap/lookup.h"
#include "support/require.h"
#include "support/suite.h"
#include "unit/heap.h"
#include "unit/threads.h"

static void set_birth(uint32_t birth)
{
    heap_lock_all();
    heap_birth_set(birth);
    heap_unlock_all();
}

static uint8_t state_of(const void *block)
{
    struct block found;
    require(lookup_block(block, &found));
    return found.state;
}

enum { WAYS = 5 };

/* One block of each way to get one: small, cleared, aligned, leaf, large. */
static void allocate_each_way(void *blocks[WAYS])
{
    blocks[0] = heap_allocate(100);
    blocks[1] = heap_allocate_zeroed(200);
    blocks[2] = heap_allocate_aligned(300, 256);
    blocks[3] = heap_allocate_leaf(400);
    blocks[4] = heap_allocate(100000);
}

static void expect_birth(void *const blocks[WAYS], uint32_t birth)
{
    for (int i = 0; i < WAYS; i++) {
        uint8_t state = state_of(blocks[i]);
        require(slot_is_allocated(state));
        require(slot_birth(state) == birth);
        require(slot_kind(state) == (i == 3 ? SLOT_LEAF : SLOT_ALLOCATED));
    }
}

START_TEST(a_block_carries_the_birth_of_its_time)
{
    void *blocks[BIRTH_COUNT][WAYS];
    start_heap();
    for (uint32_t birth = 0; birth < BIRTH_COUNT; birth++) {
        set_birth(birth);
        allocate_each_way(blocks[birth]);
    }
    for (uint32_t birth = 0; birth < BIRTH_COUNT; birth++)
        expect_birth(blocks[birth], birth);
    expect_sound_heap();
    for (uint32_t birth = 0; birth < BIRTH_COUNT; birth++)
        for (int i = 0; i < WAYS; i++)
            heap_free(blocks[birth][i]);
    expect_sound_heap();
}
END_TEST

/* Freed and taken again, the slot is a new block. A realloc that leaves the block in its slot leaves its birth. */
START_TEST(a_slot_taken_again_is_born_again)
{
    start_heap();
    void *first = allocate(64);
    set_birth(7);
    ck_assert_uint_eq(slot_birth(state_of(first)), 0);
    heap_free(first);
    void *second = allocate(64);
    ck_assert_ptr_eq(first, second);
    ck_assert_uint_eq(slot_birth(state_of(second)), 7);
    set_birth(8);
    void *resized;
    ck_assert_int_eq(heap_resize(second, 60, NULL, &resized), 0);
    ck_assert_ptr_eq(resized, second);
    ck_assert_uint_eq(slot_birth(state_of(resized)), 7);
}
END_TEST

static void allocate_in_thread(int index, void *blocks)
{
    (void)index;
    allocate_each_way(blocks);
}

START_TEST(threads_that_come_later_go_on_with_it)
{
    void *blocks[WAYS];
    start_heap();
    threads_run_one(allocate_in_thread, blocks);
    expect_birth(blocks, 0);
    set_birth(BIRTH_COUNT - 1); /* reaches the parked heap that the next thread takes over */
    threads_run_one(allocate_in_thread, blocks);
    expect_birth(blocks, BIRTH_COUNT - 1);
    expect_sound_heap();
}
END_TEST

static TCase *birth(void)
{
    TCase *tests = tcase_create("birth");
    tcase_add_test(tests, a_block_carries_the_birth_of_its_time);
    tcase_add_test(tests, a_slot_taken_again_is_born_again);
    tcase_add_test(tests, threads_that_come_later_go_on_with_it);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {birth};
    return suite_run("heap/birth", makers, 1);
}
