/*
 * What is freed goes back to the kernel, without a call of the program's: 100 MB in blocks of one size, freed in the
 * order of allocation, backwards, scattered, by another thread, or after their owner ended.
 *
 * With several sizes, one after the other: a program that frees and takes everything again and again within a second may
 * keep its peak meanwhile, but not more than that, whatever the sizes; and a second later, with some work, not even
 * that.
 *
 *     memory_returned ORDER SIZE...
 */
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOTAL_BYTES = 100000000, KEPT_KIB_MAX = 8000, SOME_BLOCKS = 100, SOME_BYTES = 100000 };

static void **blocks;
static size_t block_count, block_bytes;
static size_t start_kib; /* resident before the first block */

static void *take(void *unused)
{
    for (size_t i = 0; i < block_count; i++) {
        blocks[i] = malloc(block_bytes);
        memset(blocks[i], 1, block_bytes);
    }
    return unused;
}

/* A step that shares no factor with the count reaches every block once. */
static size_t scattered(size_t i)
{
    size_t step = 1000003;

    while (block_count % step == 0)
        step += 2;
    return i * step % block_count;
}

static void *drop(void *order)
{
    for (size_t i = 0; i < block_count; i++) {
        size_t which = *(char *)order == 'b'   ? block_count - 1 - i
                       : *(char *)order == 's' ? scattered(i)
                                               : i;

        free(blocks[which]);
        blocks[which] = NULL;
    }
    return NULL;
}

static void in_a_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;

    require(pthread_create(&thread, NULL, function, argument) == 0);
    pthread_join(thread, NULL);
}

static void release(char *order)
{
    if (*order == 't')
        in_a_thread(drop, order);
    else
        drop(order);
}

/* Returns what the blocks held, in KiB: all pages that they may have touched, and what a slot is larger than its block. */
static size_t take_and_release(size_t size, char *order)
{
    size_t before = resident_kib();
    size_t held, full;

    block_bytes = size;
    block_count = TOTAL_BYTES / size;
    if (*order == 'o')
        in_a_thread(take, NULL);
    else
        take(NULL);
    full = resident_kib();
    require(full > start_kib + TOTAL_BYTES / 1024 * 9 / 10);
    held = block_count * malloc_usable_size(blocks[0]) / 1024;
    release(order);
    printf("%zu bytes, %c: %zu KiB, %zu KiB, %zu KiB\n", size, *order, before, full, resident_kib());
    fflush(stdout);
    return held;
}

static void one_size(size_t size, char *order)
{
    take_and_release(size, order);
    require(resident_kib() < start_kib + KEPT_KIB_MAX);
}

static void work_a_little(void)
{
    for (unsigned i = 0; i < SOME_BLOCKS; i++) {
        void *block = malloc(SOME_BYTES + i);

        memset(block, 1, SOME_BYTES);
        free(block);
    }
}

static void sizes_in_turn(char **sizes, char *order)
{
    size_t most = 0;

    for (; *sizes != NULL; sizes++) {
        size_t held = take_and_release(strtoul(*sizes, NULL, 10), order);

        most = held > most ? held : most;
        require(resident_kib() < start_kib + most + KEPT_KIB_MAX);
    }
    usleep(1200000);
    work_a_little();
    printf("a second later: %zu KiB\n", resident_kib());
    fflush(stdout);
    require(resident_kib() < start_kib + KEPT_KIB_MAX);
}

int main(int count, char **arguments)
{
    subject_require(arguments);
    require(count > 2);
    blocks = calloc(TOTAL_BYTES / 64, sizeof *blocks);
    memset(blocks, 1, TOTAL_BYTES / 64 * sizeof *blocks);
    start_kib = resident_kib();
    if (count == 3)
        one_size(strtoul(arguments[2], NULL, 10), arguments[1]);
    else
        sizes_in_turn(arguments + 2, arguments[1]);
    require(subject_verify());
    return 0;
}
