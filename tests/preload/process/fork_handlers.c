/*
 * Fork handlers that allocate and free, in the parent before and after and in the child. They run while the allocator
 * prepares for the fork or just after: it must not hold a lock that they need.
 */
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *made_before;

static void prepare(void)
{
    made_before = malloc(5000);
    pattern_fill(made_before, 5000, 1);
    workload_run(1, 200);
}

static void after(void)
{
    require(pattern_holds(made_before, 5000, 1));
    free(made_before);
    workload_run(2, 200);
}

static void *fork_once(void *unused)
{
    for (int i = 0; i < 20; i++) {
        int status = -1;
        pid_t child = fork();

        if (child == 0) {
            workload_run(3, 200);
            require(subject_verify());
            _exit(0);
        }
        require(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    }
    return unused;
}

__attribute__((constructor)) static void register_early(void)
{
    require(pthread_atfork(prepare, after, after) == 0);
}

int main(int count, char **arguments)
{
    pthread_t thread;

    (void)count;
    subject_require(arguments);
    fork_once(NULL);
    require(pthread_create(&thread, NULL, fork_once, NULL) == 0);
    pthread_join(thread, NULL);
    require(subject_verify());
    return 0;
}
