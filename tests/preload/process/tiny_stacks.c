/*
 * Threads with the smallest stack POSIX allows, and contexts on a stack of a few pages: no path of the allocator may
 * need much, the slow ones (refill, new span, mremap, purge, thread end) included.
 */
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"

#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum { BLOCKS = 2000, CONTEXT_STACK_BYTES = 8192 };

static ucontext_t back, there;

static void touch_every_path(void)
{
    static _Thread_local void *blocks[BLOCKS];
    char *huge = malloc(9 << 20), *text;

    huge[0] = 1;
    huge = realloc(huge, 40 << 20);
    require(huge != NULL && huge[0] == 1);
    for (unsigned i = 0; i < BLOCKS; i++) {
        size_t size = (size_t)i * 577 % 9000;

        blocks[i] = i % 3 == 0 ? calloc(1, size) : i % 3 == 1 ? malloc(size) : memalign(512, size);
        require(blocks[i] != NULL);
        pattern_fill(blocks[i], size < 16 ? size : 16, i);
    }
    text = realloc(malloc(10), 300000);
    text[299999] = 1;
    free(text);
    for (unsigned i = 0; i < BLOCKS; i++)
        free(blocks[i * 7 % BLOCKS]);
    free(huge);
    malloc_trim(0);
}

static void *in_thread(void *unused)
{
    touch_every_path();
    return unused;
}

static void in_context(void)
{
    touch_every_path();
    swapcontext(&there, &back);
}

static void run_threads(void)
{
    pthread_attr_t attributes;
    long smallest = sysconf(_SC_THREAD_STACK_MIN);

    require(pthread_attr_init(&attributes) == 0);
    /* blocks[] is thread storage, which glibc takes from the stack. */
    require(pthread_attr_setstacksize(&attributes, (size_t)smallest + BLOCKS * sizeof(void *)) ==
            0);
    for (int i = 0; i < 50; i++) {
        pthread_t threads[4];

        for (int j = 0; j < 4; j++)
            require(pthread_create(&threads[j], &attributes, in_thread, NULL) == 0);
        for (int j = 0; j < 4; j++)
            pthread_join(threads[j], NULL);
    }
    pthread_attr_destroy(&attributes);
}

int main(int count, char **arguments)
{
    static _Alignas(4096) char stack[CONTEXT_STACK_BYTES];

    (void)count;
    subject_require(arguments);
    require(getcontext(&there) == 0);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    there.uc_link = NULL;
    makecontext(&there, in_context, 0);
    require(swapcontext(&back, &there) == 0);
    run_threads();
    require(subject_verify());
    return 0;
}
