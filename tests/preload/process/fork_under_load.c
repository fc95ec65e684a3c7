/*
 * Several threads allocate without pause while several threads fork. A child has one thread; the locks that the others
 * held must not be held for ever, and the blocks of all of them are the child's now: it frees and resizes them, takes
 * new ones, forks again.
 */
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOADERS = 3, FORKERS = 3, FORKS = 25, INHERITED = 2000, BLOCK_BYTES = 700 };

static atomic_bool stop;
static void *inherited[INHERITED];

static void *load(void *context)
{
    for (uint64_t round = 0; !atomic_load(&stop); round++)
        workload_run((uintptr_t)context * 1000 + round, 300);
    return NULL;
}

static void wait_for(pid_t child)
{
    int status = -1;

    require(child > 0 && waitpid(child, &status, 0) == child);
    require(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* With a depth, the child's child does the rest, and so on. */
static void live_as_child(uint64_t seed, int depth)
{
    for (unsigned i = 0; i < INHERITED; i++) {
        require(pattern_holds(inherited[i], BLOCK_BYTES, i));
        if (i % 3 == 0)
            inherited[i] = realloc(inherited[i], BLOCK_BYTES * 2);
        require(pattern_holds(inherited[i], BLOCK_BYTES, i));
    }
    workload_run(seed, 500);
    while (depth-- > 0) {
        pid_t grandchild = fork();

        if (grandchild != 0) {
            wait_for(grandchild);
            break;
        }
        workload_run(seed + (unsigned)depth, 500);
    }
    for (unsigned i = 0; i < INHERITED; i++)
        free(inherited[i]);
    require(subject_verify());
    _exit(0);
}

static void *fork_often(void *context)
{
    for (uint64_t i = 0; i < FORKS; i++) {
        uint64_t seed = (uintptr_t)context * 7919 + i;
        pid_t child = fork();

        if (child == 0)
            live_as_child(seed, i % 10 == 0 ? 2 : 0);
        workload_run(seed, 50);
        wait_for(child);
    }
    return NULL;
}

int main(int count, char **arguments)
{
    pthread_t loaders[LOADERS], forkers[FORKERS];

    (void)count;
    subject_require(arguments);
    for (unsigned i = 0; i < INHERITED; i++) {
        inherited[i] = malloc(BLOCK_BYTES);
        pattern_fill(inherited[i], BLOCK_BYTES, i);
    }
    for (uintptr_t i = 0; i < LOADERS; i++)
        require(pthread_create(&loaders[i], NULL, load, (void *)(i + 1)) == 0);
    for (uintptr_t i = 0; i < FORKERS; i++)
        require(pthread_create(&forkers[i], NULL, fork_often, (void *)(i + 100)) == 0);
    for (int i = 0; i < FORKERS; i++)
        pthread_join(forkers[i], NULL);
    atomic_store(&stop, true);
    for (int i = 0; i < LOADERS; i++)
        pthread_join(loaders[i], NULL);
    for (unsigned i = 0; i < INHERITED; i++) {
        require(pattern_holds(inherited[i], BLOCK_BYTES, i));
        free(inherited[i]);
    }
    require(subject_verify());
    return 0;
}
