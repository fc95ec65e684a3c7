/*
 * bench/micro/pattern: start, end and threads of a pattern. Nothing here allocates, except that pthread_create does.
 */
#include "bench/micro/pattern.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { THREADS_MAX = 64, PAGE_BYTES = 4096 };

static size_t scale_percent = 100;

struct thread_job {
    pthread_t thread;
    uint64_t (*body)(size_t index);
    size_t index;
    uint64_t sum;
};

void pattern_die(const char *what)
{
    dprintf(STDERR_FILENO, "pattern: %s failed\n", what);
    _exit(1);
}

void pattern_begin(int argc, char **argv)
{
    long percent;

    if (argc < 2)
        return;
    percent = strtol(argv[1], NULL, 10);
    if (percent < 1 || percent > 10000)
        pattern_die("reading the scale (1 to 10000 percent)");
    scale_percent = (size_t)percent;
}

size_t pattern_times(size_t count)
{
    size_t scaled = count * scale_percent / 100;

    return scaled > 0 ? scaled : 1;
}

int pattern_end(uint64_t checksum)
{
    /* Not printf: its buffer would be one more block in programs that measure a handful. */
    dprintf(STDOUT_FILENO, "%016llx\n", (unsigned long long)checksum);
    return 0;
}

void pattern_touch_pages(unsigned char *bytes, size_t from, size_t to, unsigned char tag)
{
    for (size_t at = from; at < to; at += PAGE_BYTES)
        ((volatile unsigned char *)bytes)[at] = tag;
}

static void *thread_job_run(void *argument)
{
    struct thread_job *job = argument;

    job->sum = job->body(job->index);
    return NULL;
}

uint64_t pattern_threads(size_t count, uint64_t (*body)(size_t index))
{
    struct thread_job jobs[THREADS_MAX];
    uint64_t sum = 0;

    if (count > THREADS_MAX)
        pattern_die("starting that many threads");
    for (size_t i = 0; i < count; i++) {
        jobs[i] = (struct thread_job){.body = body, .index = i};
        if (pthread_create(&jobs[i].thread, NULL, thread_job_run, &jobs[i]) != 0)
            pattern_die("pthread_create");
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(jobs[i].thread, NULL);
        sum += jobs[i].sum;
    }
    return sum;
}
