/*
 * Every descriptor is closed, before the program's first malloc and in the middle, and taken again by files of the
 * program: the allocator must neither need one nor close or write to what is not its own.
 */
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES = 40 };

static void close_all(void)
{
    require(close_range(0, ~0u, 0) == 0);
}

static void *work(void *seed)
{
    workload_run((uintptr_t)seed, 3000);
    return NULL;
}

static void work_in_threads(void)
{
    pthread_t threads[3];

    for (uintptr_t i = 0; i < 3; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
            _exit(2);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

/* Exits by status only: there is nowhere to write. */
int main(int count, char **arguments)
{
    (void)count;
    subject_require(arguments);
    close_all();
    workload_run(1, 3000);
    work_in_threads();
    for (int i = 0; i < FILES; i++)
        if (memfd_create("of the program", 0) != i)
            _exit(3);
    work_in_threads();
    if (!subject_verify())
        _exit(4);
    for (int i = 0; i < FILES; i++)
        if (fcntl(i, F_GETFD) < 0 || lseek(i, 0, SEEK_END) != 0)
            _exit(5);
    close_all();
    work_in_threads();
    return subject_verify() ? 0 : 6;
}
