/* leak/stacks, leak/modules, leak/sample: the table against a model, and by threads at once; what is chosen how often. */
#include "leak/stacks.h"
#include "heap/metadata.h"
#include "leak/modules.h"
#include "leak/sample.h"
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
static struct stack shown;

static uint32_t id_of(const uint64_t *frames, uint32_t count)
{
    return stacks_id(table, frames, count, stacks_hash(frames, count), (struct stacks_known){0, 0, 0, 0});
}

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
        uint32_t id = id_of(frames, make_frames(number, frames));
        hot_assert(id != 0, "a stack has an id");
        hot_assert(ids[number] == 0 || ids[number] == id, "the same one each time");
        distinct += ids[number] == 0;
        ids[number] = id;
    }
    ck_assert_uint_eq(atomic_load(&table->count), distinct);
    for (uint32_t i = 0; i < STACKS; i++) {
        const struct stack *stack = ids[i] == 0 ? NULL : stacks_get(table, ids[i], &shown);
        uint32_t count = make_frames(i, frames);
        hot_assert(ids[i] == 0 || (stack != NULL && stack->frame_count == count &&
                                   memcmp(stack->frames, frames, count * sizeof *frames) == 0),
                   "the stack with the id has these frames");
    }
    expect_sound_heap();
}
END_TEST

/* As a thread goes deeper and comes back, each stack is put in with what it shares with the one before. */
START_TEST(stacks_that_share_their_outer_frames_are_whole)
{
    start_heap();
    table = stacks_make();
    uint64_t way[FRAMES_MAX];
    struct random random = {3};
    uint32_t depth = 1, count_before = 0, id_before = 0;
    way[FRAMES_MAX - 1] = 1;
    for (int i = 0; i < LOOKUPS; i++) {
        uint32_t kept = 1 + (uint32_t)random_below(&random, depth);
        depth = kept + (uint32_t)random_below(&random, 4);
        depth = depth < FRAMES_MAX ? depth : FRAMES_MAX;
        for (uint32_t j = kept; j < depth; j++)
            way[FRAMES_MAX - 1 - j] = random_below(&random, 3);
        const uint64_t *frames = way + FRAMES_MAX - depth;
        uint32_t own = depth > kept ? depth - kept : 1;
        struct stacks_known known = {id_before, id_before, own, count_before - (depth - own)};
        if (own == depth)
            known.id = 0;
        uint32_t id = stacks_id(table, frames, depth, stacks_hash(frames, depth), known);
        hot_assert(id == id_of(frames, depth), "one id, whatever was known");
        const struct stack *stack = stacks_get(table, id, &shown);
        hot_assert(stack != NULL && stack->frame_count == depth && memcmp(stack->frames, frames, depth * sizeof *frames) == 0,
                   "its frames");
        id_before = id;
        count_before = depth;
    }
    ck_assert_uint_lt(atomic_load(&table->used_words), 6 * atomic_load(&table->count));
}
END_TEST

START_TEST(what_is_no_id_has_no_stack)
{
    start_heap();
    table = stacks_make();
    uint64_t frames[FRAMES_MAX] = {0};
    ck_assert_uint_eq(id_of(frames, 0), 0);
    ck_assert_ptr_null(stacks_get(table, 0, &shown));
    ck_assert_ptr_null(stacks_get(table, 1, &shown));
    ck_assert_ptr_null(stacks_get(table, UINT32_MAX, &shown));
    uint32_t id = id_of(frames, FRAMES_MAX);
    ck_assert_uint_eq(stacks_get(table, id, &shown)->frame_count, FRAMES_MAX);
    struct random random = {7};
    for (int i = 0; i < 100000; i++) { /* of a torn copy, say: never a crash */
        const struct stack *stack = stacks_get(table, (uint32_t)random_next(&random), &shown);
        hot_assert(stack == NULL || stack->frame_count <= FRAMES_MAX, "bounded");
    }
}
END_TEST

/* Two threads may enter the same stack twice while the lists are made anew, no more. */
static void *enter_many(void *argument)
{
    uint64_t frames[FRAMES_MAX];
    struct stack own;
    struct random random = {(uint64_t)(uintptr_t)argument};
    for (int i = 0; i < LOOKUPS / 4; i++) {
        uint32_t number = (uint32_t)random_below(&random, STACKS);
        uint32_t count = make_frames(number, frames);
        const struct stack *stack = stacks_get(table, id_of(frames, count), &own);
        require(stack != NULL && stack->frame_count == count &&
                memcmp(stack->frames, frames, count * 8) == 0);
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

/* ---- samples ---- */

/* As often as the distribution says, whatever comes in between: within five standard deviations, with a fixed seed. */
START_TEST(blocks_are_chosen_by_their_size)
{
    enum { MEAN = 1000, BLOCKS = 300000 };
    static const struct {
        size_t size_bytes;
        double probability; /* 1 - exp(-size / mean) */
        double deviation;   /* of the count: sqrt(BLOCKS * p * (1 - p)) */
    } kinds[] = {{16, 0.0158727, 68.5},
                 {500, 0.3934693, 267.6},
                 {5000, 0.9932621, 44.8},
                 {1, 0.0009995, 17.3}};
    struct sampler sampler = {0};
    uint32_t chosen[4] = {0};
    for (uint32_t i = 0; i < BLOCKS * 4; i++)
        chosen[i % 4] += sample_takes(&sampler, kinds[i % 4].size_bytes, MEAN, (uint64_t)_i);
    for (int i = 0; i < 4; i++) {
        double off = (double)chosen[i] - BLOCKS * kinds[i].probability;
        ck_assert_double_le(off < 0 ? -off : off, 5 * kinds[i].deviation);
    }
}
END_TEST

static TCase *stacks_case(void)
{
    TCase *tests = tcase_create("stacks");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, each_stack_has_one_id_and_keeps_it);
    tcase_add_test(tests, stacks_that_share_their_outer_frames_are_whole);
    tcase_add_test(tests, what_is_no_id_has_no_stack);
    tcase_add_test(tests, threads_enter_stacks_at_once);
    tcase_add_test(tests, this_code_lies_in_this_program);
    tcase_add_loop_test(tests, blocks_are_chosen_by_their_size, 0, 3);
    return tests;
}

static test_case_maker *const makers[] = {stacks_case};

int main(void)
{
    return suite_run("stacks", makers, sizeof makers / sizeof *makers);
}
