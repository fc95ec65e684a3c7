/*
 * What is freed goes back to the kernel, without a call of the program's: 100 MB in blocks of one size, freed in the
 * order of allocation, backwards, scattered, by another thread, or after their owner ended. With several sizes, one
 * after the other: a program that has done that and waits must not keep its peak either.
 *
 *     memory_returned ORDER SIZE...
 */
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOTAL_BYTES = 100000000, KEPT_KIB_MAX = 8000 };

static void **blocks;
static size_t block_count, block_bytes;

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

static void one_size(size_t size, char *order)
{
    size_t before, full, after;

    block_bytes = size;
    block_count = TOTAL_BYTES / size;
    before = resident_kib();
    if (*order == 'o')
        in_a_thread(take, NULL);
    else
        take(NULL);
    full = resident_kib();
    require(full > before + TOTAL_BYTES / 1024 * 9 / 10);
    if (*order == 't')
        in_a_thread(drop, order);
    else
        drop(order);
    after = resident_kib();
    printf("%zu bytes, %c: %zu KiB, %zu KiB, %zu KiB\n", size, *order, before, full, after);
    fflush(stdout);
    require(after < before + KEPT_KIB_MAX);
}

int main(int count, char **arguments)
{
    subject_require(arguments);
    require(count > 2);
    blocks = calloc(TOTAL_BYTES / 64, sizeof *blocks);
    memset(blocks, 1, TOTAL_BYTES / 64 * sizeof *blocks);
    for (int i = 2; i < count; i++)
        one_size(strtoul(arguments[i], NULL, 10), arguments[1]);
    require(subject_verify());
    return 0;
}
