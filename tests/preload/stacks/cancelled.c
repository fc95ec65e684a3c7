/*
 * Threads that are cancelled, at once or where they may be, while they allocate, and threads that leave by pthread_exit:
 * cleanup handlers run, allocate in turn, and whoever is left goes on.
 */
#include "preload/stacks/recorded.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUNDS = 300 };

static volatile int after;
static volatile int forever = 1;
static int started;
static int cleaned;

static void clean(void *block)
{
    free(block);
    block = malloc(70);
    require(stack_of(block)->frame_count != 0);
    free(block);
    __atomic_fetch_add(&cleaned, 1, __ATOMIC_RELAXED);
}

__attribute__((noinline)) static void work(unsigned depth)
{
    void *block = malloc(40 + depth);
    pthread_cleanup_push(clean, block);
    if (depth == 0) {
        __atomic_fetch_add(&started, 1, __ATOMIC_RELEASE);
        while (forever) {
            free(malloc(500));
            pthread_testcancel();
        }
    } else {
        work(depth - 1);
    }
    pthread_cleanup_pop(1);
    after = after + 1;
}

static void *run(void *unused)
{
    work(10);
    return unused;
}

int main(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t thread;
        void *result;
        require(pthread_create(&thread, NULL, run, NULL) == 0);
        while (__atomic_load_n(&started, __ATOMIC_ACQUIRE) <= i)
            free(malloc(100));
        require(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
        require(result == PTHREAD_CANCELED);
    }
    require(cleaned == 11 * ROUNDS);
    return 0;
}
