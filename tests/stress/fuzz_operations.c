/*
 * stress/fuzz_operations: bytes decode to operations, which run against the model.
 *
 * Built with -fsanitize=fuzzer this file is a libFuzzer target; with stress/fuzz_main.c it is a program that runs the
 * files it is given, or random bytes.
 *
 * Each operation is an opcode byte, a place byte and, where a size is needed, three bytes for it. The heap stays between
 * inputs, so every input starts on an old one; all blocks are freed and the heap is verified after each.
 */
#include "stress/fuzz_operations.h"

#include "heap/allocate.h"
#include "heap/verify.h"
#include "heap/walk.h"
#include "os/memory.h"
#include "property/held.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLACES = 256, OPERATIONS_MAX = 4096 };

struct input {
    const uint8_t *bytes;
    size_t left;
};

static struct held places[PLACES];
static uint64_t next_id;

static uint8_t next_byte(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->bytes++;
}

/* A shift and a number, so that every class and the borders between them are near at hand. At most 2 MiB. */
static size_t next_size(struct input *input)
{
    uint32_t shift = next_byte(input) % 17;
    size_t low = next_byte(input);
    return ((low % 32 + 1) << shift) + next_byte(input) % 33 -
           (low >= 128 ? 17 : 1) * (size_t)(shift > 3);
}

static void expect_sound(void)
{
    const char *problem = heap_verify(true);
    if (problem == NULL)
        return;
    dprintf(STDERR_FILENO, "the heap is not sound: %s\n", problem);
    abort();
}

/* Frees in another thread, which ends: its heap is parked and taken over. */
static void *free_elsewhere(void *argument)
{
    held_free(argument, false);
    return NULL;
}

static void *take_elsewhere(void *argument)
{
    struct held *held = argument;
    held_take(held, HELD_PLAIN, held->size_bytes, 1, next_id++);
    return NULL;
}

static void in_thread(void *(*work)(void *), struct held *held)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, held) != 0)
        abort();
    pthread_join(thread, NULL);
}

/* Several blocks of one size at once: fills buffers and spans with few bytes of input. */
static void fill_places(struct input *input, unsigned from)
{
    size_t size_bytes = next_size(input) % 5000;
    unsigned count = next_byte(input);
    for (unsigned i = 0; i < count; i++) {
        struct held *held = &places[(from + i) % PLACES];
        if (held->block == NULL)
            held_take(held, HELD_PLAIN, size_bytes, 1, next_id++);
    }
}

static void free_places(struct input *input, unsigned from)
{
    unsigned step = 1 + next_byte(input) % 7;
    for (unsigned i = from; i < PLACES; i += step)
        if (places[i].block != NULL)
            held_free(&places[i], false);
}

static void take(struct held *held, struct input *input, unsigned opcode)
{
    size_t size_bytes = next_size(input);
    size_t align_bytes = (size_t)1 << opcode / 16;
    held_take(held, (enum held_kind)(opcode % HELD_KINDS), size_bytes, align_bytes, next_id++);
}

static void run_operation(struct input *input)
{
    unsigned opcode = next_byte(input);
    unsigned place = next_byte(input);
    struct held *held = &places[place];
    if (opcode % 16 == 13)
        fill_places(input, place);
    else if (opcode % 16 == 14)
        free_places(input, place);
    else if (opcode == 15)
        expect_sound();
    else if (opcode == 31)
        heap_trim();
    else if (opcode % 64 == 47)
        os_memory_fail(0, next_byte(input) % 8);
    else if (held->block == NULL && opcode % 64 == 63) {
        held->size_bytes = next_size(input);
        in_thread(take_elsewhere, held);
    } else if (held->block == NULL)
        take(held, input, opcode);
    else if (opcode % 64 == 63)
        in_thread(free_elsewhere, held);
    else if (opcode % 4 == 0)
        held_resize(held, next_size(input) + 1);
    else if (opcode % 4 == 1)
        held_check(held);
    else
        held_free(held, opcode % 4 == 2);
}

static bool count_block(void *block, size_t size_bytes, void *context)
{
    (void)block;
    (void)size_bytes;
    ++*(size_t *)context;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct input input = {bytes, size_bytes};
    size_t left = 0;
    for (int i = 0; i < OPERATIONS_MAX && input.left > 0; i++)
        run_operation(&input);
    os_memory_fail(0, 0);
    for (int i = 0; i < PLACES; i++)
        if (places[i].block != NULL)
            held_free(&places[i], false);
    expect_sound();
    if (heap_walk(count_block, &left) != 0 || left != 0) {
        dprintf(STDERR_FILENO, "%zu blocks are left\n", left);
        abort();
    }
    return 0;
}
