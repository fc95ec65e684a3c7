/*
 * stress/churn: threads start and end without pause, and free each other's blocks.
 *
 *     churn [SECONDS]
 *
 * On the library, as any program's threads. What each leaves on a shelf is freed by whoever comes by, often when its
 * owner has ended, so spans are adopted all the time; now and then one forks, and the child goes on with what was there.
 * Resident memory must stay where it was after the first part of the run, and every keeper of threads must get on.
 */
#include "property/random.h"
#include "support/pattern.h"
#include "support/require.h"
#include "support/subject.h"
#include "support/workload.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    KEEPERS = 6,
    AT_ONCE = 2, /* threads of a keeper */
    PLACES = 4096,
    LIVES_A_FORK = 500,
    STEPS_MAX = 400,
    SIZE_MAX_BYTES = 1 << 18,
    PARTS = 10, /* of the run, of which the first three show where memory settles */
    SETTLE_PARTS = 3,
    GROWTH_KIB_MAX = 8192,
    HANG_SECONDS = 120,
};

struct parcel {
    size_t size_bytes;
    unsigned char bytes[];
};

struct keeper {
    pthread_t thread;
    uint64_t seed;
    _Atomic uint64_t lives;
    _Atomic pid_t child;
};

static struct parcel *_Atomic shelf[PLACES];
static struct keeper keepers[KEEPERS];
static atomic_bool stop;

static void drop(struct parcel *parcel)
{
    if (parcel == NULL)
        return;
    require(pattern_holds(parcel->bytes, parcel->size_bytes, (unsigned)parcel->size_bytes));
    free(parcel);
}

static void leave_one(struct random *random)
{
    size_t size_bytes = random_size(random, SIZE_MAX_BYTES);
    struct parcel *parcel = malloc(sizeof *parcel + size_bytes);
    require(parcel != NULL);
    parcel->size_bytes = size_bytes;
    pattern_fill(parcel->bytes, size_bytes, (unsigned)size_bytes);
    drop(atomic_exchange(&shelf[random_below(random, PLACES)], parcel));
}

static void *live(void *argument)
{
    struct random random = {(uint64_t)(uintptr_t)argument};
    uint64_t steps = random_below(&random, random_below(&random, STEPS_MAX) + 1);
    if (random_below(&random, 4) == 0)
        workload_run_small(random_next(&random), 100, 20000);
    for (uint64_t i = 0; i < steps; i++)
        leave_one(&random);
    return NULL;
}

static void live_together(struct random *random)
{
    pthread_t threads[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++)
        require(pthread_create(&threads[i], NULL, live, (void *)(uintptr_t)random_next(random)) == 0);
    for (int i = 0; i < AT_ONCE; i++)
        require(pthread_join(threads[i], NULL) == 0);
}

static void empty_shelf(void)
{
    for (size_t i = 0; i < PLACES; i++)
        drop(atomic_exchange(&shelf[i], NULL));
}

static _Noreturn void be_child(struct random *random)
{
    for (int i = 0; i < 3; i++)
        live_together(random);
    empty_shelf();
    require(subject_verify());
    _exit(0);
}

static void fork_child(struct keeper *keeper, struct random *random)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        be_child(random);
    require(child > 0);
    atomic_store(&keeper->child, child);
    require(waitpid(child, &status, 0) == child);
    require(status == 0);
    atomic_store(&keeper->child, 0);
}

static void *keep(void *argument)
{
    struct keeper *keeper = argument;
    struct random random = {keeper->seed};
    while (!atomic_load(&stop)) {
        live_together(&random);
        atomic_fetch_add(&keeper->lives, AT_ONCE);
        if (random_below(&random, LIVES_A_FORK) == 0)
            fork_child(keeper, &random);
    }
    return NULL;
}

/* ---- the watch ---- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* All of them leave a core file, where the machine lets them. */
static _Noreturn void give_up_on(int index)
{
    pid_t child = atomic_load(&keepers[index].child);
    dprintf(STDERR_FILENO, "keeper %d hangs%s\n", index, child != 0 ? " with its child" : "");
    if (child != 0)
        kill(child, SIGABRT);
    abort();
}

static void expect_progress(double at)
{
    static uint64_t lives[KEEPERS];
    static double since[KEEPERS];
    for (int i = 0; i < KEEPERS; i++) {
        uint64_t present = atomic_load(&keepers[i].lives);
        if (present != lives[i] || since[i] == 0) {
            lives[i] = present;
            since[i] = at;
        }
        if (at - since[i] > HANG_SECONDS)
            give_up_on(i);
    }
}

static uint64_t all_lives(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < KEEPERS; i++)
        sum += atomic_load(&keepers[i].lives);
    return sum;
}

/* The highest that was seen in the time. */
static size_t watch(double until)
{
    struct timespec pause = {0, 200000000};
    size_t most_kib = 0;
    while (now() < until) {
        size_t kib = resident_kib();
        most_kib = kib > most_kib ? kib : most_kib;
        expect_progress(now());
        nanosleep(&pause, NULL);
    }
    return most_kib;
}

int main(int argument_count, char **arguments)
{
    const char *text = getenv("GCALLOC_TEST_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
    double seconds = argument_count > 1 ? atof(arguments[1]) : 600;
    size_t settled_kib = 0, most_kib = 0;
    subject_require(arguments);
    printf("seed %lu\n", (unsigned long)seed);
    double start = now();
    for (int i = 0; i < KEEPERS; i++) {
        keepers[i].seed = seed * 1000003u + (uint64_t)i;
        require(pthread_create(&keepers[i].thread, NULL, keep, &keepers[i]) == 0);
    }
    for (int part = 1; part <= PARTS; part++) {
        size_t *seen = part <= SETTLE_PARTS ? &settled_kib : &most_kib;
        size_t kib = watch(start + seconds * part / PARTS);
        *seen = kib > *seen ? kib : *seen;
        printf("%.0f s: %lu threads, at most %zu KiB\n", now() - start, (unsigned long)all_lives(), kib);
        fflush(stdout);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < KEEPERS; i++)
        require(pthread_join(keepers[i].thread, NULL) == 0);
    empty_shelf();
    require(subject_verify());
    bool is_level = most_kib <= settled_kib + settled_kib / 8 + GROWTH_KIB_MAX;
    printf("%d passed, %d failed\n", is_level, !is_level);
    return is_level ? EXIT_SUCCESS : EXIT_FAILURE;
}
