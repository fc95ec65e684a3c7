/* A thread replaces the program while others allocate; the new program starts with a heap of its own. */
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *load(void *context)
{
    for (;;)
        workload_run((uintptr_t)context, 1000);
    return NULL;
}

static void *execute(void *next)
{
    workload_run(9, 2000);
    return execl("/proc/self/exe", "exec_from_thread", (char *)next, (char *)NULL) == 0 ? next
                                                                                        : NULL;
}

int main(int count, char **arguments)
{
    int left = count > 1 ? atoi(arguments[1]) : 20;
    char next[16];
    pthread_t threads[3];

    subject_require(arguments);
    workload_run(1, 1000);
    require(subject_verify());
    if (left == 0)
        return 0;
    snprintf(next, sizeof next, "%d", left - 1);
    for (uintptr_t i = 0; i < 2; i++)
        require(pthread_create(&threads[i], NULL, load, (void *)i) == 0);
    require(pthread_create(&threads[2], NULL, execute, next) == 0);
    pthread_join(threads[2], NULL);
    return 1;
}
