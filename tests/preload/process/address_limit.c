/*
 * A program with little address space (ulimit -v, set by process.py before it starts, or by itself with an argument):
 * it takes blocks until there are none, sees NULL and ENOMEM, has lost nothing, frees, and goes on.
 */
#include "support/opaque.h"
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

struct link {
    struct link *next;
    size_t size_bytes;
    unsigned seed;
    unsigned char payload[];
};

/* Takes blocks of about that size until one is refused. Only their ends are touched: the limit is on addresses. */
static struct link *take_all(size_t size, size_t limit_bytes, size_t *taken_out)
{
    struct link *newest = NULL;
    size_t taken = 0;

    for (unsigned i = 0; taken < 2 * limit_bytes; i++) {
        size_t this_size = size + i % 7 * 16;
        struct link *link = malloc(sizeof *link + this_size);

        if (link == NULL) {
            require(errno == ENOMEM);
            *taken_out = taken;
            return newest;
        }
        *link = (struct link){.next = newest, .size_bytes = this_size, .seed = i};
        pattern_fill(link->payload, this_size < 64 ? this_size : 64, i);
        newest = link;
        taken += this_size;
    }
    require(taken < 2 * limit_bytes); /* the limit was never felt */
    return NULL;
}

static void free_all(struct link *newest)
{
    while (newest != NULL) {
        struct link *next = newest->next;

        require(pattern_holds(newest->payload, newest->size_bytes < 64 ? newest->size_bytes : 64,
                              newest->seed));
        free(newest);
        newest = next;
    }
}

static void *live_in_thread(void *unused)
{
    workload_run_small(3, 1000, 20000);
    return unused;
}

/* What the limit leaves is for the program: a thread's stack, a mapping. An address reservation must not use it up. */
static void limit_self(size_t limit_bytes)
{
    struct rlimit limit = {.rlim_cur = limit_bytes, .rlim_max = limit_bytes};
    pthread_t thread;
    void *pages;

    require(setrlimit(RLIMIT_AS, &limit) == 0);
    pages = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(pages != MAP_FAILED && munmap(pages, 1 << 20) == 0);
    require(pthread_create(&thread, NULL, live_in_thread, NULL) == 0);
    pthread_join(thread, NULL);
}

int main(int count, char **arguments)
{
    static const size_t sizes[] = {100, 5000, 300000, 4 << 20};
    struct rlimit limit;
    size_t limit_bytes, taken = 0;

    subject_require(arguments);
    if (count > 1) {
        workload_run(1, 1000);
        limit_self(strtoul(arguments[1], NULL, 10) << 20);
    }
    require(getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY);
    limit_bytes = (size_t)limit.rlim_cur;
    for (int round = 0; round < 3; round++)
        for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            if (limit_bytes > (size_t)512 << 20 && sizes[i] < 300000)
                continue;
            free_all(take_all(sizes[i], limit_bytes, &taken));
            printf("%zu MiB in blocks of %zu bytes\n", taken >> 20, sizes[i]);
            errno = 0;
            require(malloc(opaque_size(limit_bytes)) == NULL && errno == ENOMEM);
            workload_run_small(i, 2000, 20000);
            require(subject_verify());
        }
    return 0;
}
