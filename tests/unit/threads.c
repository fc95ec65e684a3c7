/*
 * unit/threads: threads for tests, with libc's malloc.
 *
 * Locks: a helper's own.
 */
#include "unit/threads.h"

#include "support/require.h"

#include <pthread.h>
#include <stdlib.h>

struct start {
    thread_work *work;
    int index;
    void *context;
    pthread_barrier_t *together;
};

static void *run(void *argument)
{
    struct start *start = argument;
    pthread_barrier_wait(start->together);
    start->work(start->index, start->context);
    return NULL;
}

void threads_run(int count, thread_work *work, void *context)
{
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    struct start *starts = calloc((size_t)count, sizeof *starts);
    pthread_barrier_t together;
    require(threads != NULL && starts != NULL &&
            pthread_barrier_init(&together, NULL, (unsigned)count) == 0);
    for (int i = 0; i < count; i++) {
        starts[i] = (struct start){work, i, context, &together};
        require(pthread_create(&threads[i], NULL, run, &starts[i]) == 0);
    }
    for (int i = 0; i < count; i++)
        require(pthread_join(threads[i], NULL) == 0);
    pthread_barrier_destroy(&together);
    free(starts);
    free(threads);
}

void threads_run_one(thread_work *work, void *context)
{
    threads_run(1, work, context);
}

struct helper {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    thread_work *work; /* NULL when there is nothing to do */
    void *context;
    int ends;
};

static void *help(void *argument)
{
    struct helper *helper = argument;
    pthread_mutex_lock(&helper->lock);
    while (!helper->ends) {
        if (helper->work == NULL) {
            pthread_cond_wait(&helper->changed, &helper->lock);
            continue;
        }
        helper->work(0, helper->context);
        helper->work = NULL;
        pthread_cond_broadcast(&helper->changed);
    }
    pthread_mutex_unlock(&helper->lock);
    return NULL;
}

struct helper *helper_start(void)
{
    struct helper *helper = calloc(1, sizeof *helper);
    require(helper != NULL);
    pthread_mutex_init(&helper->lock, NULL);
    pthread_cond_init(&helper->changed, NULL);
    require(pthread_create(&helper->thread, NULL, help, helper) == 0);
    return helper;
}

void helper_do(struct helper *helper, thread_work *work, void *context)
{
    pthread_mutex_lock(&helper->lock);
    helper->context = context;
    helper->work = work;
    pthread_cond_broadcast(&helper->changed);
    while (helper->work != NULL)
        pthread_cond_wait(&helper->changed, &helper->lock);
    pthread_mutex_unlock(&helper->lock);
}

void helper_end(struct helper *helper)
{
    pthread_mutex_lock(&helper->lock);
    helper->ends = 1;
    pthread_cond_broadcast(&helper->changed);
    pthread_mutex_unlock(&helper->lock);
    require(pthread_join(helper->thread, NULL) == 0);
    free(helper);
}
