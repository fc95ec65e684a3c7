/* A child of a threaded program starts threads of its own, which use and leave what the lost threads owned. */
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 6, BLOCKS = 500, BLOCK_BYTES = 333, GENERATIONS = 4 };

static void *blocks[THREADS][BLOCKS];
static pthread_barrier_t barrier;

static void *take_and_wait(void *row)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        ((void **)row)[i] = malloc(BLOCK_BYTES);
        pattern_fill(((void **)row)[i], BLOCK_BYTES, i);
    }
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

static void *free_row(void *row)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        require(pattern_holds(((void **)row)[i], BLOCK_BYTES, i));
        free(((void **)row)[i]);
    }
    workload_run((uintptr_t)row, 500);
    return NULL;
}

/* Blocks of threads that exist in the parent only are freed by threads that exist in the child only. */
static void one_generation(int left)
{
    pthread_t threads[THREADS], freers[THREADS];
    int status = -1;
    pid_t child;

    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, take_and_wait, blocks[i]) == 0);
    pthread_barrier_wait(&barrier);
    child = fork();
    if (child == 0) {
        for (int i = 0; i < THREADS; i++)
            require(pthread_create(&freers[i], NULL, free_row, blocks[i]) == 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(freers[i], NULL);
        require(subject_verify());
        if (left > 0)
            one_generation(left - 1);
        _exit(0);
    }
    require(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        free_row(blocks[i]);
    }
    require(subject_verify());
}

int main(int count, char **arguments)
{
    (void)count;
    subject_require(arguments);
    for (int round = 0; round < 5; round++)
        one_generation(GENERATIONS);
    return 0;
}
