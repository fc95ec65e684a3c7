/*
 * leak/stacks, leak/modules, columns: the table against a model, by threads at once; a walk through this very code; records
 * that come and go with their spans.
 */
#include "leak/stacks.h"
#include "base/image.h"
#include "heap/large.h"
#include "heap/lookup.h"
#include "heap/metadata.h"
#include "heap/recorder.h"
#include "heap/span.h"
#include "leak/modules.h"
#include "leak/record.h"
#include "leak/unwind.h"
#include "os/object.h"
#include "property/random.h"
#include "support/require.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <pthread.h>
#include <string.h>

enum { STACKS = 60000, LOOKUPS = 200000, LENGTH_MAX = 40 };

/* The stack with this number: its length and frames follow from it, and many share their inner frames. */
static uint32_t make_frames(uint32_t number, uint64_t *frames_out)
{
    struct random random = {number / 8};
    uint32_t count = 1 + (uint32_t)random_below(&random, LENGTH_MAX);
    for (uint32_t i = 0; i < count; i++)
        frames_out[i] = 0x400000 + random_below(&random, 5000);
    frames_out[count - 1] += (uint64_t)(number + 1) << 24;
    return count;
}

static struct stack_table *table;
static uint32_t ids[STACKS];

START_TEST(each_stack_has_one_id_and_keeps_it)
{
    start_heap();
    table = stacks_make();
    ck_assert_ptr_nonnull(table);
    uint64_t frames[FRAMES_MAX];
    struct random random = {1};
    uint32_t distinct = 0;
    for (int i = 0; i < LOOKUPS; i++) {
        uint32_t number = (uint32_t)random_below(&random, STACKS);
        uint32_t id = stacks_id(table, frames, make_frames(number, frames));
        hot_assert(id != 0, "a stack has an id");
        hot_assert(ids[number] == 0 || ids[number] == id, "the same one each time");
        distinct += ids[number] == 0;
        ids[number] = id;
    }
    ck_assert_uint_eq(atomic_load(&table->count), distinct);
    for (uint32_t i = 0; i < STACKS; i++) {
        const struct stack *stack = ids[i] == 0 ? NULL : stacks_get(table, ids[i]);
        uint32_t count = make_frames(i, frames);
        hot_assert(ids[i] == 0 || (stack != NULL && stack->frame_count == count &&
                                   memcmp(stack->frames, frames, count * sizeof *frames) == 0),
                   "the stack with the id has these frames");
    }
    expect_sound_heap();
}
END_TEST

START_TEST(what_is_no_id_has_no_stack)
{
    start_heap();
    table = stacks_make();
    uint64_t frames[FRAMES_MAX] = {0};
    ck_assert_uint_eq(stacks_id(table, frames, 0), 0);
    ck_assert_ptr_null(stacks_get(table, 0));
    ck_assert_ptr_null(stacks_get(table, 1));
    ck_assert_ptr_null(stacks_get(table, UINT32_MAX));
    uint32_t id = stacks_id(table, frames, FRAMES_MAX);
    ck_assert_uint_eq(stacks_get(table, id)->frame_count, FRAMES_MAX);
    struct random random = {7};
    for (int i = 0; i < 100000; i++) { /* of a torn copy, say: never a crash */
        const struct stack *stack = stacks_get(table, (uint32_t)random_next(&random));
        hot_assert(stack == NULL || stack->frame_count <= FRAMES_MAX, "bounded");
    }
}
END_TEST

/* Two threads may enter the same stack twice while the lists are made anew, no more. */
static void *enter_many(void *argument)
{
    uint64_t frames[FRAMES_MAX];
    struct random random = {(uint64_t)(uintptr_t)argument};
    for (int i = 0; i < LOOKUPS / 4; i++) {
        uint32_t number = (uint32_t)random_below(&random, STACKS);
        uint32_t count = make_frames(number, frames);
        const struct stack *stack = stacks_get(table, stacks_id(table, frames, count));
        require(stack != NULL && stack->frame_count == count && memcmp(stack->frames, frames, count * 8) == 0);
    }
    return NULL;
}

START_TEST(threads_enter_stacks_at_once)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    start_heap();
    table = stacks_make();
    for (uintptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, enter_many, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint32_t count = atomic_load(&table->count);
    ck_assert_uint_le(count, STACKS + STACKS / 20);
    enter_many((void *)1);
    ck_assert_uint_eq(atomic_load(&table->count), count);
}
END_TEST

START_TEST(this_code_lies_in_this_program)
{
    start_heap();
    struct module_table *modules = metadata_take(sizeof *modules);
    atomic_store(&modules->count, 1);
    struct os_object object;
    ck_assert(os_object_find((uintptr_t)enter_many, &object));
    ck_assert(!os_object_find((uintptr_t)&object, &object));
    uint32_t number = modules_number(modules, &object, 5);
    ck_assert_uint_eq(number, 1);
    ck_assert_uint_eq(modules_number(modules, &object, 6), 1);
    const struct module *module = &modules->modules[number];
    ck_assert_ptr_nonnull(strstr(module->path, "stacks"));
    ck_assert_uint_eq(module->build_id_bytes, 20);
    ck_assert(os_object_find((uintptr_t)strlen, &object));
    ck_assert_uint_eq(modules_number(modules, &object, 6), 2);
    modules_refresh(modules, 9, NULL, NULL); /* nothing is gone, so nobody is called */
    ck_assert_uint_eq(modules->modules[2].state, MODULE_LOADED);
}
END_TEST

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
    ck_assert_int_eq(unwind_start(modules), 0);
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

/* Every block has a record of its own while it lives, columns go with their spans, and free() knows nothing of them. */
START_TEST(records_come_and_go_with_blocks)
{
    enum { BLOCKS = 3000 };
    static void *blocks[BLOCKS];
    start_heap();
    ck_assert_int_eq(record_start(16, false), 0);
    struct random random = {3};
    for (int i = 0; i < 20 * BLOCKS; i++) {
        void **block = &blocks[random_below(&random, BLOCKS)];
        size_t size_bytes = random_below(&random, 20) == 0 ? random_below(&random, 200000) : random_below(&random, 2000);
        if (*block != NULL && random_below(&random, 3) == 0)
            hot_assert(heap_resize(*block, size_bytes + 1, NULL, block) == 0, "resized");
        else {
            heap_free(*block);
            *block = random_below(&random, 4) == 0 ? heap_allocate_zeroed(size_bytes) : heap_allocate(size_bytes);
        }
        struct block_record record;
        hot_assert(record_get(*block, &record) && record.stack != 0 && record.thread == 1, "recorded");
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

static TCase *stacks_case(void)
{
    TCase *tests = tcase_create("stacks");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, each_stack_has_one_id_and_keeps_it);
    tcase_add_test(tests, what_is_no_id_has_no_stack);
    tcase_add_test(tests, threads_enter_stacks_at_once);
    tcase_add_test(tests, this_code_lies_in_this_program);
    tcase_add_test(tests, a_walk_finds_every_frame);
    tcase_add_test(tests, records_come_and_go_with_blocks);
    tcase_add_test(tests, without_the_option_there_is_nothing);
    return tests;
}

static test_case_maker *const makers[] = {stacks_case};

int main(void)
{
    return suite_run("stacks", makers, sizeof makers / sizeof *makers);
}
