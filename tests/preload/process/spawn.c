/*
 * vfork and exec, posix_spawn, system, popen, from several threads under load. A vfork child shares the heap and may,
 * in practice, allocate in it; what it took stays taken in the parent.
 */
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, ROUNDS = 15 };

static void wait_for(pid_t child, int expected)
{
    int status = -1;

    require(child > 0 && waitpid(child, &status, 0) == child);
    require(WIFEXITED(status) && WEXITSTATUS(status) == expected);
}

static void with_vfork(void)
{
    void *volatile block = NULL;
    pid_t child = vfork();

    if (child == 0) {
        block = malloc(100);
        free(malloc(50000));
        execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
        _exit(1);
    }
    wait_for(child, 7);
    require(block != NULL);
    memset(block, 1, 100);
    free(block);
    child = vfork();
    if (child == 0) {
        execl("/nonexistent", "nonexistent", (char *)NULL);
        _exit(9);
    }
    wait_for(child, 9);
}

static void with_posix_spawn(void)
{
    static char shell[] = "sh", flag[] = "-c", script[] = "exit 3";
    char *const command[] = {shell, flag, script, NULL};
    pid_t child;

    require(posix_spawn(&child, "/bin/sh", NULL, NULL, command, environ) == 0);
    wait_for(child, 3);
    require(posix_spawn(&child, "/nonexistent", NULL, NULL, command, environ) == ENOENT);
}

static void with_popen(void)
{
    char line[32] = "";
    FILE *stream = popen("echo from the child", "r");

    require(stream != NULL && fgets(line, sizeof line, stream) != NULL);
    require(strcmp(line, "from the child\n") == 0 && pclose(stream) == 0);
}

static void *spawn_often(void *context)
{
    for (int i = 0; i < ROUNDS; i++) {
        workload_run((uintptr_t)context + (unsigned)i, 200);
        with_vfork();
        with_posix_spawn();
        require(WEXITSTATUS(system("exit 5")) == 5);
        with_popen();
    }
    return NULL;
}

int main(int count, char **arguments)
{
    pthread_t threads[THREADS];

    (void)count;
    subject_require(arguments);
    for (uintptr_t i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, spawn_often, (void *)(i * 100)) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    require(subject_verify());
    return 0;
}
