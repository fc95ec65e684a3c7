/*
 * bench/micro/pauses-mib: what a program sees of the collector's pauses.
 *
 *     GCALLOC_OPTIONS=gc pauses-mib [MIB [SECONDS [THREADS [RATE]]]]
 *
 * A graph of so many MiB (256) in blocks of 32 to 128 bytes, held by a table of the program's own. The threads replace blocks at
 * random by new ones, which lead to others at random, rewire those they meet, and never free: as fast as they can, or so many steps
 * in a second, each of which writes to a page or two. Each looks at the clock at every step, and all the time between two steps;
 * what is longer than usual was a gap. Printed are the longest gaps and when they ended, how the time from one look to the next is
 * distributed, and steps in a second. Left out are gaps in which somebody else took the processor: then how many, and how long.
 */
#include "bench/micro/pattern.h"

#include <gcalloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { EDGES = 3, MIB = 1 << 20, THREADS_MAX = 16, BUCKETS = 40, LONGEST = 5, LONG_NS = 100000, MEAN_BYTES = 150 /* and what is dropped and still held */ };

struct node {
    struct node *edges[EDGES];
    uint64_t payload;
};

static struct node **table;
static size_t count;
static double seconds;
static double rate; /* steps of one thread in a second; 0: as many as it can */
static uint64_t begin_ns;

struct gap {
    uint64_t ns;
    uint64_t end_ns;
};

struct worker {
    pthread_t thread;
    struct random random;
    uint64_t steps;
    uint64_t looks;
    uint64_t gaps[BUCKETS]; /* by the power of two of their nanoseconds */
    struct gap longest[LONGEST];
    long switches; /* so often others took the processor */
    uint64_t taken;
    uint64_t taken_ns;
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct node *make(struct random *random)
{
    struct node *node = malloc(sizeof *node + random_below(random, 97));

    if (node == NULL)
        pattern_die("malloc");
    for (size_t edge = 0; edge < EDGES; edge++)
        node->edges[edge] = table[random_below(random, count)];
    node->payload = (uintptr_t)node;
    return node;
}

/* Every fourth step replaces a block, which then leads nowhere, but lives while others lead to it; the rest change edges. */
static void step(struct random *random)
{
    size_t place = random_below(random, count);
    struct node *node = table[place];

    if (node->payload != (uintptr_t)node)
        pattern_die("a block in use was changed");
    if (random_below(random, 4) == 0) {
        memset(node->edges, 0, sizeof node->edges);
        table[place] = make(random);
        return;
    }
    node->edges[random_below(random, EDGES)] = table[random_below(random, count)];
}

static bool was_taken(struct worker *worker)
{
    struct rusage usage;
    long before = worker->switches;

    getrusage(RUSAGE_THREAD, &usage);
    worker->switches = usage.ru_nivcsw;
    return usage.ru_nivcsw != before;
}

static void note(struct worker *worker, uint64_t gap_ns, uint64_t end_ns)
{
    if (gap_ns > worker->longest[LONGEST - 1].ns && gap_ns > LONG_NS && was_taken(worker)) {
        worker->taken++;
        worker->taken_ns += gap_ns;
        return;
    }
    worker->looks++;
    worker->gaps[gap_ns < 2 ? 0 : 63 - __builtin_clzll(gap_ns)]++;
    for (int i = 0; i < LONGEST; i++)
        if (gap_ns > worker->longest[i].ns) {
            memmove(&worker->longest[i + 1], &worker->longest[i], (size_t)(LONGEST - 1 - i) * sizeof *worker->longest);
            worker->longest[i] = (struct gap){gap_ns, end_ns};
            return;
        }
}

/* Steps that a gap has held up are not made up for. */
static void *work(void *argument)
{
    struct worker *worker = argument;
    uint64_t before_ns = now_ns(), due_ns = before_ns;
    uint64_t last_ns = before_ns + (uint64_t)(seconds * 1e9);
    uint64_t step_ns = rate == 0 ? 0 : (uint64_t)(1e9 / rate);

    while (before_ns < last_ns) {
        if (before_ns >= due_ns) {
            step(&worker->random);
            worker->steps++;
            due_ns += step_ns;
        }
        uint64_t after_ns = now_ns();
        note(worker, after_ns - before_ns, after_ns);
        if (after_ns > due_ns + step_ns)
            due_ns = after_ns;
        before_ns = after_ns;
    }
    return NULL;
}

static void report(const struct worker *workers, size_t thread_count)
{
    uint64_t steps = 0, looks = 0, seen = 0, gaps[BUCKETS] = {0};
    static const double shares[] = {0.5, 0.99, 0.999, 0.9999, 0.99999, 0.999999};
    size_t share = 0;

    for (size_t i = 0; i < thread_count; i++) {
        steps += workers[i].steps;
        looks += workers[i].looks;
        for (size_t j = 0; j < BUCKETS; j++)
            gaps[j] += workers[i].gaps[j];
        printf("thread %zu, without the processor %llu times, %.0f ms; longest gaps in us:", i,
               (unsigned long long)workers[i].taken, (double)workers[i].taken_ns * 1e-6);
        for (size_t j = 0; j < LONGEST; j++)
            printf(" %.0f (at %.2f s)", (double)workers[i].longest[j].ns * 1e-3,
                   (double)(workers[i].longest[j].end_ns - begin_ns) * 1e-9);
        printf("\n");
    }
    for (size_t j = 0; j < BUCKETS; j++)
        for (seen += gaps[j]; share < sizeof shares / sizeof *shares && (double)seen >= shares[share] * (double)looks; share++)
            printf("%g of the gaps were less than %.1f us\n", shares[share], (double)((uint64_t)2 << j) * 1e-3);
    printf("%.3f million steps in a second\n", (double)steps / seconds * 1e-6);
}

int main(int argc, char **argv)
{
    static struct worker workers[THREADS_MAX];
    size_t mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 256;
    size_t thread_count = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
    struct random random = {1};
    gca_gc_stats stats;

    begin_ns = now_ns();
    seconds = argc > 2 ? strtod(argv[2], NULL) : 10;
    rate = argc > 4 ? strtod(argv[4], NULL) : 0;
    count = mib * MIB / MEAN_BYTES;
    table = calloc(count, sizeof *table);
    if (table == NULL || thread_count > THREADS_MAX)
        pattern_die("arguments");
    for (size_t i = 0; i < count; i++)
        table[i] = make(&random);
    for (size_t i = 0; i < thread_count; i++) {
        workers[i].random.state = i + 2;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            pattern_die("pthread_create");
    }
    for (size_t i = 0; i < thread_count; i++)
        pthread_join(workers[i].thread, NULL);
    report(workers, thread_count);
    if (gca_gc_get_stats(&stats) == 0)
        printf("%llu collections, %llu abandoned, %llu pauses, %.0f us at most, %.0f us on average; %llu MiB live\n",
               (unsigned long long)stats.collections, (unsigned long long)stats.abandoned, (unsigned long long)stats.pauses,
               (double)stats.pause_ns_max * 1e-3,
               stats.pauses == 0 ? 0 : (double)stats.pause_ns_total * 1e-3 / (double)stats.pauses,
               (unsigned long long)stats.live_bytes / MIB);
    return 0;
}
