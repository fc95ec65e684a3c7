/* bench/micro/thread-kib: KiB that each of 64 living threads costs beyond its stack once it has one block. */
#include "bench/micro/memory.h"
#include "bench/micro/pattern.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 64, BLOCK_BYTES = 40 };

static pthread_barrier_t reached;
static pthread_barrier_t measured;

static void *live(void *use_heap)
{
    struct block block = {NULL, 0};

    if (use_heap != NULL)
        block = block_take(BLOCK_BYTES, 1);
    pthread_barrier_wait(&reached);
    pthread_barrier_wait(&measured);
    if (block.bytes != NULL)
        (void)block_drop(block);
    return NULL;
}

/* RSS while all threads live. `argument` is not NULL if each shall take a block. */
static long rss_of_threads_kib(void *argument)
{
    pthread_t threads[THREADS];
    long rss_kib;

    for (size_t i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, live, argument) != 0)
            pattern_die("pthread_create");
    }
    pthread_barrier_wait(&reached);
    rss_kib = memory_status_kib("VmRSS:");
    pthread_barrier_wait(&measured);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return rss_kib;
}

/*
 * Stacks are not the allocator's, so threads without a block are measured as well, in another process: a second set of
 * threads in this one would reuse what the first left, and a forked child would count pages copied on write.
 */
static long rss_in_own_process_kib(const char *program)
{
    char text[32] = "";
    int ends[2];
    int status;
    pid_t pid;

    if (pipe(ends) != 0 || (pid = fork()) < 0)
        pattern_die("pipe or fork");
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl(program, program, "idle", NULL);
        _exit(1);
    }
    close(ends[1]);
    if (read(ends[0], text, sizeof text - 1) <= 0)
        pattern_die("measuring idle threads");
    close(ends[0]);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        pattern_die("the process with idle threads");
    return strtol(text, NULL, 10);
}

int main(int argc, char **argv)
{
    bool idle = argc > 1 && strcmp(argv[1], "idle") == 0;
    long rss_kib;

    /* The process's first block is not a thread's cost. */
    (void)block_drop(block_take(BLOCK_BYTES, 1));
    pthread_barrier_init(&reached, NULL, THREADS + 1);
    pthread_barrier_init(&measured, NULL, THREADS + 1);
    rss_kib = rss_of_threads_kib(idle ? NULL : &reached);
    if (idle)
        return memory_print((double)rss_kib);
    return memory_print((double)(rss_kib - rss_in_own_process_kib(argv[0])) / THREADS);
}
