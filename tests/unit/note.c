/* heap/note: what the heap notices of blocks that somebody has a note about, and generations. */
#include "heap/lookup.h"
#include "heap/note.h"
#include "property/random.h"
#include "support/suite.h"
#include "unit/heap.h"
#include "unit/threads.h"

#include <errno.h>
#include <string.h>

static unsigned freed, resized, moved;
static bool allow;
static void *last;

static bool on_freeing(const struct block *block, void *caller)
{
    (void)caller;
    freed++;
    last = (void *)block->start;
    return allow;
}

static bool on_resizing(const struct block *block, void *caller)
{
    (void)caller;
    resized++;
    last = (void *)block->start;
    return allow;
}

static bool on_moved(const struct block *from, const struct block *to)
{
    moved++;
    last = (void *)to->start;
    return from->start != to->start;
}

static void on_reclaimed(const struct block *block)
{
    last = (void *)block->start;
}

static void start(void)
{
    static const struct heap_noter noter = {on_freeing, on_resizing, on_moved, on_reclaimed};
    atomic_store(&heap_noter, &noter);
    allow = true;
    start_heap();
}

static struct note *note(void *block)
{
    struct block found;
    ck_assert(lookup_block(block, &found));
    struct note *made = note_need(&found);
    ck_assert_ptr_nonnull(made);
    return made;
}

static uint32_t generation(const struct note *note)
{
    return note_generation(atomic_load(&note->word));
}

static const size_t sizes[] = {1, 40, 600, 16384, 20000, 3000000};

enum { SIZES = sizeof sizes / sizeof *sizes };

START_TEST(only_noted_blocks_are_noticed)
{
    void *plain = allocate(sizes[_i]);
    void *noted = allocate(sizes[_i]);
    note(noted);
    heap_free(plain);
    ck_assert_uint_eq(freed, 0);
    allow = false;
    heap_free(noted);
    ck_assert_uint_eq(freed, 1);
    ck_assert_ptr_eq(last, noted);
    ck_assert_uint_ne(lookup_usable_size(noted), 0);
    allow = true;
    heap_free(noted);
    ck_assert_uint_eq(freed, 2);
    void *next = allocate(sizes[_i]);
    heap_free(next);
    ck_assert_uint_eq(freed, 2);
    expect_sound_heap();
}
END_TEST

static void free_it(int index, void *context)
{
    (void)index;
    heap_free(context);
}

START_TEST(another_thread_is_noticed_as_well)
{
    void *block = allocate(sizes[_i]);
    note(block);
    threads_run_one(free_it, block);
    ck_assert_uint_eq(freed, 1);
    expect_sound_heap();
}
END_TEST

START_TEST(leaves_are_noticed)
{
    void *block = heap_allocate_leaf(sizes[_i]);
    note(block);
    heap_free(block);
    ck_assert_uint_eq(freed, 1);
    expect_sound_heap();
}
END_TEST

START_TEST(a_note_goes_along_with_realloc)
{
    unsigned char *block = allocate(100);
    memset(block, 7, 100);
    note(block);
    void *resized_to = NULL;
    ck_assert_int_eq(heap_resize(block, 90, NULL, &resized_to), 0);
    ck_assert_ptr_eq(resized_to, block);
    ck_assert_uint_eq(resized, 1);
    ck_assert_uint_eq(moved, 0);
    ck_assert_int_eq(heap_resize(block, 100000, NULL, &resized_to), 0);
    ck_assert_uint_eq(moved, 1);
    ck_assert_ptr_eq(last == block ? resized_to : last, resized_to);
    for (int i = 0; i < 100; i++)
        hot_assert(((unsigned char *)resized_to)[i] == 7, "copied");
    note(resized_to);
    allow = false;
    void *refused = resized_to;
    ck_assert_int_eq(heap_resize(resized_to, 3000000, NULL, &refused), -EINVAL);
    allow = true;
    ck_assert_int_eq(heap_resize(resized_to, 0, NULL, &refused), 0);
    ck_assert_ptr_null(refused);
    expect_sound_heap();
}
END_TEST

START_TEST(quick_and_slow_find_the_same)
{
    void *block = allocate(48);
    struct block found;
    ck_assert_ptr_null(note_quick(block));
    struct note *made = note(block);
    ck_assert_ptr_eq(note_quick(block), made);
    ck_assert_ptr_null(note_quick((char *)block + 8));
    ck_assert_ptr_null(note_quick(&found));
    void *large = allocate(100000);
    made = note(large);
    ck_assert_ptr_null(note_quick(large));
    ck_assert(lookup_block((char *)large + 50000, &found));
    ck_assert_ptr_eq(note_of(&found), made);
    heap_free(block);
    heap_free(large);
}
END_TEST

START_TEST(a_number_that_was_kept_is_not_used_again)
{
    void *block = allocate(sizes[_i]);
    struct note *first = note(block);
    uint32_t before = generation(first);
    heap_free(block);
    ck_assert_ptr_eq(allocate(sizes[_i]), block);
    first = note(block);
    ck_assert_uint_eq(generation(first), before); /* nobody had kept it */
    atomic_fetch_or(&first->holder, HOLDER_NUMBERED);
    heap_free(block);
    ck_assert_ptr_eq(allocate(sizes[_i]), block);
    first = note(block);
    ck_assert_uint_eq(generation(first), before + 1);
    ck_assert_uint_eq(atomic_load(&first->holder), 0);
    heap_free(block);
}
END_TEST

/* Also when the span goes, and another takes its place, of another class: no address ever has a number twice. */
START_TEST(numbers_outlive_spans)
{
    enum { ROUNDS = 30, COUNT = 1000 };
    static void *blocks[COUNT];
    static struct {
        void *block;
        uint32_t generation;
    } seen[ROUNDS];
    static const size_t choices[] = {16, 48, 640, 5000, 40000};
    struct random random = {(uint64_t)_i};
    for (int round = 0; round < ROUNDS; round++) {
        size_t size_bytes = choices[random_below(&random, 5)];
        int count = size_bytes > 1000 ? 100 : COUNT;
        for (int i = 0; i < count; i++) {
            blocks[i] = allocate(size_bytes);
            struct note *mine = note(blocks[i]);
            for (int j = 0; j < round; j++)
                hot_assert(seen[j].block != blocks[i] || seen[j].generation != generation(mine), "another");
            atomic_fetch_or(&mine->holder, HOLDER_NUMBERED);
        }
        seen[round].block = blocks[random_below(&random, (uint64_t)count)];
        seen[round].generation = generation(note(seen[round].block));
        for (int i = 0; i < count; i++)
            heap_free(blocks[i]);
        thread_heap_flush(heap_self);
    }
    expect_sound_heap();
}
END_TEST

START_TEST(a_worn_slot_is_retired)
{
    void *block = allocate(sizes[_i]);
    struct note *mine = note(block);
    atomic_store(&mine->word, (uint32_t)(NOTE_GENERATION_MAX - 1) << NOTE_GENERATION_SHIFT);
    atomic_fetch_or(&mine->holder, HOLDER_NUMBERED);
    heap_free(block);
    for (int i = 0; i < 1000; i++)
        hot_assert(allocate(sizes[_i] > 600 ? 600 : sizes[_i]) != block, "never again");
    ck_assert_uint_eq(lookup_usable_size(block), 0);
    thread_heap_flush(heap_self);
    expect_sound_heap();
}
END_TEST

static TCase *notes(void)
{
    TCase *tests = tcase_create("notes");
    tcase_add_checked_fixture(tests, start, NULL);
    tcase_add_loop_test(tests, only_noted_blocks_are_noticed, 0, SIZES);
    tcase_add_loop_test(tests, another_thread_is_noticed_as_well, 0, SIZES);
    tcase_add_loop_test(tests, leaves_are_noticed, 0, SIZES);
    tcase_add_test(tests, a_note_goes_along_with_realloc);
    tcase_add_test(tests, quick_and_slow_find_the_same);
    tcase_add_loop_test(tests, a_number_that_was_kept_is_not_used_again, 0, SIZES);
    tcase_add_loop_test(tests, numbers_outlive_spans, 0, 3);
    tcase_add_loop_test(tests, a_worn_slot_is_retired, 0, SIZES);
    return tests;
}

int main(void)
{
    static test_case_maker *const cases[] = {notes};
    return suite_run("note", cases, sizeof cases / sizeof *cases);
}
