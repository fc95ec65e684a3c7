/*
 * Prints resident KiB: of a program that allocates next to nothing ("tiny"); what 64 waiting threads cost more when each
 * has allocated one block ("threads"); or of what few programs run of the library's code, at the very end of a process that has done
 * what every program may do ("rest"; nothing where the library has no such segment).
 */
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 64 };

static pthread_barrier_t barrier;

static void *take_one(void *unused)
{
    char *block;

    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    block = malloc(100);
    memset(block, 1, 100);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    free(block);
    return unused;
}

static void print_thread_cost(void)
{
    pthread_t threads[THREADS];
    size_t before, after;

    require(pthread_barrier_init(&barrier, NULL, THREADS + 1) == 0);
    for (int i = 0; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, take_one, NULL) == 0);
    pthread_barrier_wait(&barrier);
    before = resident_kib();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    after = resident_kib();
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%zu\n", after > before ? after - before : 0);
}

static void do_ordinary_things(void)
{
    pthread_t thread;

    require(pthread_barrier_init(&barrier, NULL, 1) == 0);
    require(pthread_create(&thread, NULL, take_one, NULL) == 0 && pthread_join(thread, NULL) == 0);
    for (size_t size = 1; size < 200000; size += size / 4 + 1) {
        void *block = malloc(size), *zeroed = calloc(1, size);

        require(block != NULL && zeroed != NULL);
        memset(block, 1, size);
        block = realloc(block, size * 2);
        free(zeroed);
        free(block);
    }
}

/* The executable mappings of the library from the third on, and what they say of "Rss:". */
static void print_rest(pid_t process)
{
    static char text[1 << 20];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)process);
    int descriptor = open(path, O_RDONLY);
    size_t length = 0;
    ssize_t got;
    int found = 0;
    bool is_code = false;
    unsigned long total_kib = 0;

    require(descriptor >= 0);
    while ((got = read(descriptor, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    close(descriptor);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strchr(line, '-') != NULL && strchr(line, ':') > strchr(line, ' ')) {
            is_code = strstr(line, "libgcalloc.so") != NULL && strstr(line, " r-xp ") != NULL;
            found += is_code;
        } else if (is_code && found >= 3 && strncmp(line, "Rss:", 4) == 0)
            total_kib += strtoul(line + 4, NULL, 10);
    }
    if (found >= 3)
        printf("%lu\n", total_kib);
}

/* Another process, stopped where it has run all it will ever run, exit handlers too. Its first stop is the exec. */
static void print_rest_at_end(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        require(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
        execl("/proc/self/exe", "resident", "ordinary", (char *)NULL);
        _exit(1);
    }
    require(child > 0 && waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    require(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL) == 0);
    do {
        require(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
        require(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    } while (status >> 16 != PTRACE_EVENT_EXIT);
    print_rest(child);
    require(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
    require(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int count, char **arguments)
{
    require(count == 2);
    free(malloc(100));
    if (strcmp(arguments[1], "rest") == 0) {
        print_rest_at_end();
        return 0;
    }
    if (strcmp(arguments[1], "ordinary") == 0) {
        do_ordinary_things();
        return 0;
    }
    if (strcmp(arguments[1], "threads") == 0)
        print_thread_cost();
    else
        printf("%zu\n", resident_kib());
    return 0;
}
