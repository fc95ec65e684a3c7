/*
 * Prints resident KiB: of a program that allocates next to nothing ("tiny"), or what 64 waiting threads cost more when
 * each has allocated one block ("threads").
 */
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 64 };

static pthread_barrier_t barrier;

static void *take_one(void *unused)
{
    char *block;

    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    block = malloc(100);
    memset(block, 1, 100);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    free(block);
    return unused;
}

static void print_thread_cost(void)
{
    pthread_t threads[THREADS];
    size_t before, after;

    require(pthread_barrier_init(&barrier, NULL, THREADS + 1) == 0);
    for (int i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, take_one, NULL) == 0);
    pthread_barrier_wait(&barrier);
    before = resident_kib();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    after = resident_kib();
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%zu\n", after > before ? after - before : 0);
}

int main(int count, char **arguments)
{
    require(count == 2);
    free(malloc(100));
    if (strcmp(arguments[1], "threads") == 0)
        print_thread_cost();
    else
        printf("%zu\n", resident_kib());
    return 0;
}
