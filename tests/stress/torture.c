/*
 * stress/torture: long runs in extreme settings.
 *
 *     torture [SECONDS]
 *
 * Every setting runs for a share of the time, in a process of its own, with new seeds over and over: verified at every
 * operation or nearly so, hundreds of short threads, producers and consumers that never free what they made, forks in a
 * row. Seeds are printed; GCALLOC_TEST_SEED sets the first.
 */
#include "heap/allocate.h"
#include "heap/verify.h"
#include "property/held.h"
#include "property/random.h"
#include "property/replay.h"
#include "support/require.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void verify_every_operation(uint64_t seed)
{
    replay_run(&(struct replay){seed, 20000, 1, false, 1, 500});
}

static void verify_often_with_threads(uint64_t seed)
{
    replay_run(&(struct replay){seed, 100000, 4, false, 20, 300});
}

static void short_threads(uint64_t seed)
{
    replay_run(&(struct replay){seed, 50000, 32, false, 500, 10});
}

static void many_forks(uint64_t seed)
{
    replay_run(&(struct replay){seed, 2000000, 8, true, 50000, 3000});
}

static void crowd(uint64_t seed)
{
    replay_run(&(struct replay){seed, 2000000, 64, false, 10000, 100000});
}

/* ---- producers and consumers ---- */

enum { PAIRS = 3, RING_PLACES = 512, PRODUCED = 100000 };

/* One producer writes, one consumer reads; full is a block that has not been consumed. */
struct ring {
    struct held places[RING_PLACES];
    atomic_bool full[RING_PLACES];
    uint64_t seed;
};

static void *produce(void *argument)
{
    struct ring *ring = argument;
    struct random random = {ring->seed};
    for (uint64_t i = 0; i < PRODUCED; i++) {
        size_t place = i % RING_PLACES;
        while (atomic_load_explicit(&ring->full[place], memory_order_acquire))
            sched_yield();
        require(held_take(&ring->places[place], HELD_PLAIN, random_size(&random, 1 << 18), 1, i));
        atomic_store_explicit(&ring->full[place], true, memory_order_release);
    }
    return NULL;
}

/* Ends now and then, with batches still to be sent, and another goes on: its argument says where. */
struct consumer {
    struct ring *ring;
    uint64_t next;
    uint64_t end;
};

static void *consume(void *argument)
{
    struct consumer *consumer = argument;
    struct ring *ring = consumer->ring;
    for (; consumer->next < consumer->end; consumer->next++) {
        size_t place = consumer->next % RING_PLACES;
        while (!atomic_load_explicit(&ring->full[place], memory_order_acquire))
            sched_yield();
        held_free(&ring->places[place], false);
        atomic_store_explicit(&ring->full[place], false, memory_order_release);
    }
    return NULL;
}

static void *consume_in_turns(void *argument)
{
    struct consumer consumer = {argument, 0, 0};
    while (consumer.end < PRODUCED) {
        pthread_t thread;
        consumer.end += PRODUCED / 100;
        require(pthread_create(&thread, NULL, consume, &consumer) == 0);
        require(pthread_join(thread, NULL) == 0);
    }
    return NULL;
}

static void producers_and_consumers(uint64_t seed)
{
    static struct ring rings[PAIRS];
    pthread_t threads[2 * PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        rings[i].seed = seed + (uint64_t)i;
        require(pthread_create(&threads[2 * i], NULL, produce, &rings[i]) == 0);
        require(pthread_create(&threads[2 * i + 1], NULL, consume_in_turns, &rings[i]) == 0);
    }
    for (int i = 0; i < 2 * PAIRS; i++)
        require(pthread_join(threads[i], NULL) == 0);
    const char *problem = heap_verify(true);
    if (problem != NULL)
        dprintf(STDERR_FILENO, "the heap is not sound: %s\n", problem);
    require(problem == NULL);
}

/* ---- all of them ---- */

struct setting {
    const char *name;
    void (*run)(uint64_t seed);
};

static const struct setting settings[] = {
    {"verify every operation", verify_every_operation},
    {"verify often, 4 threads", verify_often_with_threads},
    {"threads of at most 10 operations", short_threads},
    {"producers and consumers", producers_and_consumers},
    {"64 threads", crowd},
    {"forks", many_forks},
};

enum { SETTINGS = sizeof settings / sizeof *settings };

static bool run_for(const struct setting *setting, uint64_t seed, double seconds)
{
    double start = now();
    int runs = 0, status = 0;
    for (; status == 0 && (runs == 0 || now() - start < seconds); runs++) {
        pid_t child = fork();
        if (child == 0) {
            setting->run(seed + (uint64_t)runs);
            _exit(0);
        }
        require(child > 0 && waitpid(child, &status, 0) == child);
    }
    if (status == 0)
        printf("%s: %d runs in %.0f s\n", setting->name, runs, now() - start);
    else
        printf("%s: FAILED with seed %lu, status %x\n", setting->name,
               (unsigned long)(seed + (uint64_t)runs - 1), (unsigned)status);
    fflush(stdout);
    return status == 0;
}

int main(int argument_count, char **arguments)
{
    const char *text = getenv("GCALLOC_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
    double seconds = argument_count > 1 ? atof(arguments[1]) : 600;
    int failed = 0;
    printf("seed %lu\n", (unsigned long)seed);
    fflush(stdout);
    for (int i = 0; i < SETTINGS; i++)
        failed += !run_for(&settings[i], seed, seconds / SETTINGS);
    printf("%d passed, %d failed\n", SETTINGS - failed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
