/* heap/buffer: how large a thread's buffers get, and what they give back. */
#include "heap/buffer.h"
#include "support/suite.h"
#include "unit/heap.h"

#include <string.h>

enum { SLOT_BYTES = 48, BLOCKS = 4000, ROUNDS = 200, USUAL_MOST = 256 };

static char *blocks[BLOCKS];

static size_t room(size_t size_bytes)
{
    const struct buffer *buffer = &thread_heap_peek()->buffers[class_of(size_bytes)];
    return (size_t)(buffer->limit - buffer->base);
}

static void take_all(size_t count, size_t size_bytes)
{
    for (size_t i = 0; i < count; i++)
        blocks[i] = allocate(size_bytes);
}

static void free_all(size_t count)
{
    for (size_t i = 0; i < count; i++)
        heap_free(blocks[i]);
}

/* A heap of some size, of which a buffer may hold a share. */
static void fill_heap(void)
{
    for (size_t i = 0; i < 32; i++)
        allocate(UNIT_BYTES * 8);
}

START_TEST(a_buffer_grows_for_bursts)
{
    fill_heap();
    for (size_t round = 0; round < ROUNDS; round++) {
        take_all(BLOCKS, SLOT_BYTES);
        free_all(BLOCKS);
    }
    ck_assert_uint_gt(room(SLOT_BYTES), USUAL_MOST);
    ck_assert_uint_le(room(SLOT_BYTES), 4 * USUAL_MOST);
    expect_sound_heap();
}
END_TEST

/* Once a burst fits it grows no further. */
START_TEST(a_buffer_is_no_larger_than_bursts_need)
{
    enum { BURST = 200 };
    fill_heap();
    for (size_t round = 0; round < ROUNDS; round++) {
        take_all(BURST, SLOT_BYTES);
        free_all(BURST);
    }
    ck_assert_uint_le(room(SLOT_BYTES), USUAL_MOST);
    expect_sound_heap();
}
END_TEST

/* Blocks that come and go at random are no burst, though at times more come than go. */
START_TEST(chance_makes_no_burst)
{
    size_t size_bytes = _i == 0 ? SLOT_BYTES : 3000;
    uint64_t random = 88172645463325252u;
    fill_heap();
    take_all(1000, size_bytes);
    size_t before = 0;
    for (size_t step = 0; step < 400000; step++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        char **place = &blocks[random % 1000];
        if (*place == NULL) {
            *place = allocate(size_bytes);
        } else {
            heap_free(*place);
            *place = NULL;
        }
        if (step == 40000)
            before = room(size_bytes);
    }
    ck_assert_uint_le(room(size_bytes), before < USUAL_MOST ? USUAL_MOST : before);
    ck_assert(_i == 0 || room(size_bytes) == before);
    expect_sound_heap();
}
END_TEST

/* Freed in an order that has nothing to do with that of their slots, over many spans: all come back, each once. */
START_TEST(what_comes_back_in_any_order_is_there_again)
{
    take_all(BLOCKS, SLOT_BYTES);
    for (size_t i = 0; i < BLOCKS; i++)
        heap_free(blocks[i * 1237 % BLOCKS]);
    expect_sound_heap();
    take_all(BLOCKS, SLOT_BYTES);
    for (size_t i = 0; i < BLOCKS; i++)
        memset(blocks[i], (int)(i % 251), SLOT_BYTES);
    size_t wrong = 0;
    for (size_t i = 0; i < BLOCKS; i++)
        for (size_t at = 0; at < SLOT_BYTES; at++)
            wrong += (unsigned char)blocks[i][at] != i % 251;
    ck_assert_uint_eq(wrong, 0);
    expect_sound_heap();
}
END_TEST

static TCase *buffer(void)
{
    TCase *tests = tcase_create("buffer");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_buffer_grows_for_bursts);
    tcase_add_test(tests, a_buffer_is_no_larger_than_bursts_need);
    tcase_add_loop_test(tests, chance_makes_no_burst, 0, 2);
    tcase_add_test(tests, what_comes_back_in_any_order_is_there_again);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {buffer};
    return suite_run("heap/buffer", makers, 1);
}
