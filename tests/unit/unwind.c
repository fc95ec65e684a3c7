/* leak/unwind, leak/record: walks through this very code; records that come and go with their blocks and spans. */
#include "leak/unwind.h"
#include "base/image.h"
#include "heap/metadata.h"
#include "leak/record.h"
#include "leak/rules.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"

static volatile int after;

__attribute__((noinline)) static uint32_t deeper(uint32_t depth, uint64_t *frames, uint32_t limit)
{
    uint32_t count;
    if (depth == 0) {
        struct os_registers here = os_registers_here();
        count = unwind_stack(&here, 0, 0, frames, limit, 0);
    } else {
        count = deeper(depth - 1, frames, limit);
    }
    after = after + 1;
    return count;
}

START_TEST(a_walk_finds_every_frame)
{
    start_heap();
    struct module_table *modules = metadata_take(sizeof *modules);
    atomic_store(&modules->count, 1);
    ck_assert_int_eq(rules_start(modules), 0);
    uint64_t frames[FRAMES_MAX], again[FRAMES_MAX];
    for (uint32_t depth = 2; depth < 60; depth++) {
        uint32_t count = deeper(depth, frames, FRAMES_MAX);
        ck_assert_uint_gt(count, depth + 2);
        for (uint32_t i = 2; i < depth; i++)
            ck_assert_uint_eq(frames[i], frames[1]); /* the recursive call */
        ck_assert_uint_ne(frames[depth + 1], frames[1]);
        ck_assert_uint_eq(deeper(depth, again, FRAMES_MAX), count);
        ck_assert_uint_eq(deeper(depth, again, depth), depth);
    }
}
END_TEST

/* Every block, or every chosen one, has a record of its own while it lives, columns go with their spans, and free() knows nothing of them. */
START_TEST(records_come_and_go_with_blocks)
{
    enum { BLOCKS = 3000 };
    static void *blocks[BLOCKS];
    start_heap();
    ck_assert_int_eq(record_start(16, (uint64_t)_i * 1000, false), 0);
    struct random random = {3};
    for (int i = 0; i < 20 * BLOCKS; i++) {
        void **block = &blocks[random_below(&random, BLOCKS)];
        size_t size_bytes = random_below(&random, 20) == 0 ? random_below(&random, 200000)
                                                           : random_below(&random, 2000);
        if (*block != NULL && random_below(&random, 3) == 0)
            hot_assert(heap_resize(*block, size_bytes + 1, NULL, block) == 0, "resized");
        else {
            heap_free(*block);
            *block = random_below(&random, 4) == 0 ? heap_allocate_zeroed(size_bytes)
                                                   : heap_allocate(size_bytes);
        }
        struct block_record record;
        bool is_recorded = record_get(*block, &record);
        hot_assert(is_recorded ? record.stack != 0 && record.thread == 1 : _i != 0, "recorded");
    }
    expect_sound_heap();
    for (int i = 0; i < BLOCKS; i++)
        heap_free(blocks[i]);
    thread_heap_flush(heap_self);
    ck_assert_uint_eq(units_taken(), 0);
    expect_sound_heap();
}
END_TEST

START_TEST(without_the_option_there_is_nothing)
{
    start_heap();
    void *block = allocate(40);
    struct block_record record;
    ck_assert(!record_get(block, &record));
    ck_assert_ptr_null(gca_image->leak);
    record_unloaded();
    heap_free(block);
}
END_TEST

static TCase *unwind_case(void)
{
    TCase *tests = tcase_create("unwind");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_walk_finds_every_frame);
    tcase_add_loop_test(tests, records_come_and_go_with_blocks, 0, 2);
    tcase_add_test(tests, without_the_option_there_is_nothing);
    return tests;
}

static test_case_maker *const makers[] = {unwind_case};

int main(void)
{
    return suite_run("unwind", makers, sizeof makers / sizeof *makers);
}
