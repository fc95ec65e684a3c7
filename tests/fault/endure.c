/*
 * fault/endure: a program that uses every kind of block from several threads while kernel calls for memory fail. It
 * expects NULL and ENOMEM at any moment, and everything it has to stay as it is. At the end the kernel is willing
 * again where only one call failed, and the program must be able to do all its work.
 */
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEPT = 600, THREADS = 2, STEPS = 400 };

struct kept {
    void *block;
    size_t size_bytes;
};
static struct kept kept[KEPT];
static unsigned refused_here;

/* Sizes of all kinds; the largest pass through every kind of large block. */
static size_t size_of(unsigned i)
{
    static const size_t sizes[] = {10,    100,   600,    3000,    20000,
                                   60000, 70000, 300000, 3 << 20, 9 << 20};

    return sizes[i % 60 < 50 ? i % 5 : i % 10];
}

/* Blocks that are here before, during and after the fault. Only the ends of large ones are touched. */
static void take_kept(void)
{
    for (unsigned i = 0; i < KEPT; i++) {
        size_t size = size_of(i);

        errno = 0;
        kept[i].block = i % 3 == 0 ? calloc(1, size) : malloc(size);
        require(kept[i].block != NULL || errno == ENOMEM);
        refused_here += kept[i].block == NULL;
        kept[i].size_bytes = kept[i].block != NULL ? size : 0;
        pattern_fill(kept[i].block, kept[i].size_bytes < 4000 ? kept[i].size_bytes : 4000, i);
    }
}

static void check_kept(void)
{
    for (unsigned i = 0; i < KEPT; i++)
        require(
            pattern_holds(kept[i].block, kept[i].size_bytes < 4000 ? kept[i].size_bytes : 4000, i));
}

/* A realloc that fails leaves the block; one that succeeds keeps the contents. */
static void resize_kept(void)
{
    for (unsigned i = 0; i < KEPT; i++) {
        size_t size = size_of(i + 7);
        void *moved;

        if (kept[i].block == NULL)
            continue;
        errno = 0;
        moved = realloc(kept[i].block, size);
        require(moved != NULL || errno == ENOMEM);
        if (moved == NULL) {
            refused_here++;
            continue;
        }
        kept[i].block = moved;
        require(pattern_holds(moved,
                              size < kept[i].size_bytes
                                  ? (size < 4000 ? size : 4000)
                                  : (kept[i].size_bytes < 4000 ? kept[i].size_bytes : 4000),
                              i));
        kept[i].size_bytes = size;
        pattern_fill(moved, size < 4000 ? size : 4000, i);
    }
}

static void drop_kept(void)
{
    for (unsigned i = 0; i < KEPT; i++) {
        free(kept[i].block);
        kept[i].block = NULL;
    }
}

static void *live_in_thread(void *seed)
{
    workload_run((uintptr_t)seed, STEPS);
    return NULL;
}

/* glibc allocates for a new thread, so pthread_create may fail, too; then the work is done here. */
static void run_threads(void)
{
    pthread_t threads[THREADS];
    bool started[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++) {
        started[i] = pthread_create(&threads[i], NULL, live_in_thread, (void *)i) == 0;
        if (!started[i])
            live_in_thread((void *)i);
    }
    for (int i = 0; i < THREADS; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
}

static void run_child(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        check_kept();
        workload_run(5, STEPS);
        drop_kept();
        require(subject_verify());
        _exit(0);
    }
    require(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

int main(int count, char **arguments)
{
    bool once = count > 1 && strcmp(arguments[1], "once") == 0;
    unsigned refused;

    subject_require(arguments);
    take_kept();
    run_threads();
    check_kept();
    resize_kept();
    run_child();
    malloc_trim(0);
    check_kept();
    require(subject_verify());
    drop_kept();
    refused = workload_refused();
    run_threads();
    require(subject_verify());
    /* The number of refusals, for the driver to see that the fault was felt at all. */
    dprintf(STDOUT_FILENO, "%u\n", refused + refused_here);
    require(!once || workload_refused() - refused <= 1);
    return 0;
}
