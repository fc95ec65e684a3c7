/*
 * Other ways in which a program ends, and what it has lost before: "exec" becomes true(1); "inherit" loses a block, forks,
 * and its child loses two more; "thread" has named threads that lose; "signal" dies of one; "gc" loses many blocks, which
 * a collector frees; "mixed" loses as many, and takes and frees many more, at once or later.
 */
#include "support/require.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 300000, SIZE_BYTES = 200 };

__attribute__((noinline)) static void lose(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *volatile block = malloc(SIZE_BYTES);
        require(block != NULL);
        block[0] = 1;
    }
}

/* All from one place, which so has blocks that the program frees and blocks that the collector does. */
__attribute__((noinline)) static char *take(void)
{
    char *volatile block = malloc(SIZE_BYTES);
    require(block != NULL);
    block[0] = 1;
    return block;
}

static void lose_among_others(void)
{
    enum { KEPT = 1000, ROUNDS = 4 };
    static char *kept[KEPT];
    for (size_t i = 0; i < (size_t)ROUNDS * MANY; i++) {
        free(kept[i % KEPT]);
        kept[i % KEPT] = take();
        free(take());
        if (i % ROUNDS == 0)
            take();
    }
    for (size_t i = 0; i < KEPT; i++)
        free(kept[i]);
}

static void *run(void *name)
{
    require(pthread_setname_np(pthread_self(), name) == 0);
    lose(3);
    return NULL;
}

static void named_threads(void)
{
    static char names[2][8] = {"first", "second"};
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        require(pthread_create(&thread, NULL, run, names[i]) == 0);
        require(pthread_join(thread, NULL) == 0);
    }
}

static int inherit(void)
{
    int status;
    lose(1);
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        lose(2);
        exit(0);
    }
    require(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status) == 23 ? 0 : 3;
}

int main(int count, char **arguments)
{
    require(count == 2);
    if (strcmp(arguments[1], "exec") == 0) {
        lose(1);
        execlp("true", "true", (char *)NULL);
        return 3;
    }
    if (strcmp(arguments[1], "inherit") == 0)
        return inherit();
    if (strcmp(arguments[1], "thread") == 0)
        named_threads();
    if (strcmp(arguments[1], "signal") == 0) {
        lose(1);
        raise(SIGTERM);
    }
    if (strcmp(arguments[1], "gc") == 0 || strcmp(arguments[1], "many") == 0)
        lose(MANY);
    if (strcmp(arguments[1], "mixed") == 0)
        lose_among_others();
    return 0;
}
