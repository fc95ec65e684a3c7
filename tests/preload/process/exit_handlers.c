/*
 * Every way to end: handlers of atexit and on_exit and destructors that allocate and free, while other threads still
 * do; quick_exit, _exit, and blocks of the start freed at the very end.
 */
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *from_the_start;

static void *load(void *context)
{
    for (;;)
        workload_run((uintptr_t)context, 1000);
    return NULL;
}

static void handle(void)
{
    workload_run(5, 300);
    require(pattern_holds(from_the_start, 4000, 8));
}

static void handle_status(int status, void *block)
{
    require(status == 0 && pattern_holds(block, 4000, 8));
    workload_run(6, 300);
}

__attribute__((constructor(101))) static void first_of_all(void)
{
    from_the_start = malloc(4000);
    pattern_fill(from_the_start, 4000, 8);
}

__attribute__((destructor(101))) static void last_of_all(void)
{
    require(pattern_holds(from_the_start, 4000, 8));
    free(from_the_start);
    workload_run(7, 300);
}

static void end(const char *how)
{
    pthread_t threads[2];

    for (uintptr_t i = 0; i < 2; i++)
        require(pthread_create(&threads[i], NULL, load, (void *)i) == 0);
    workload_run(8, 500);
    require(atexit(handle) == 0 && at_quick_exit(handle) == 0 &&
            on_exit(handle_status, from_the_start) == 0);
    if (strcmp(how, "exit") == 0)
        exit(0);
    if (strcmp(how, "quick_exit") == 0)
        quick_exit(0);
    _exit(0);
}

int main(int count, char **arguments)
{
    static const char *const ways[] = {"exit", "quick_exit", "_exit"};

    (void)count;
    subject_require(arguments);
    for (int i = 0; i < 30; i++) {
        int status = -1;
        pid_t child = fork();

        if (child == 0)
            end(ways[i % 3]);
        require(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    }
    return 0;
}
