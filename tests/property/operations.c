/*
 * property/operations: random operations from many threads against a model.
 *
 *     operations [--operations N] [--threads N] [--forks] [--seed N] [--verify-every N] [--life N]
 *
 * Without arguments it runs a few settings that take some seconds each; with any, that one run. The seed is printed, and
 * taken from GCALLOC_TEST_SEED if that is set. Each run is a process of its own; after a failure the same seed is tried
 * with fewer operations and threads, and the smallest run that failed is printed.
 */
#include "property/player.h"
#include "property/replay.h"

#include "support/require.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 3 };

static void print_run(const struct replay *replay)
{
    printf("  --seed %lu --operations %lu --threads %d --verify-every %lu --life %lu%s\n",
           (unsigned long)replay->seed, (unsigned long)replay->operations, replay->threads,
           (unsigned long)replay->verify_every, (unsigned long)replay->life_max,
           replay->forks ? " --forks" : "");
    fflush(stdout);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool succeeds(const struct replay *replay)
{
    int status;
    double start = now();
    pid_t child = fork();
    if (child == 0) {
        struct replay_counts counts = replay_run(replay);
        printf(
            "  done in %.1f s: %lu threads, %lu children, verified %lu times, refused %lu times\n",
            now() - start, (unsigned long)counts.lives, (unsigned long)counts.children,
            (unsigned long)counts.meetings, (unsigned long)counts.refused);
        fflush(stdout);
        _exit(0);
    }
    require(child > 0 && waitpid(child, &status, 0) == child);
    if (status != 0)
        printf("  FAILED after %.1f s, status %x\n", now() - start, (unsigned)status);
    return status == 0;
}

static bool fails_again(const struct replay *replay)
{
    print_run(replay);
    for (int i = 0; i < TRIES; i++)
        if (!succeeds(replay))
            return true;
    return false;
}

/* With one thread a seed always does the same; with several a failure may need some tries to come back. */
static void shrink(struct replay replay)
{
    struct replay fewer = replay;
    printf("looking for a smaller run that fails\n");
    fewer.threads = 1;
    if (replay.threads > 1 && fails_again(&fewer))
        replay = fewer;
    for (fewer = replay; fewer.forks; replay = fewer) {
        fewer.forks = false;
        if (!fails_again(&fewer))
            break;
    }
    fewer = replay;
    while ((fewer.operations /= 2) > 0 && fails_again(&fewer))
        replay = fewer;
    printf("smallest run that failed:\n");
    print_run(&replay);
}

static bool check(const struct replay *replay)
{
    print_run(replay);
    bool passes = succeeds(replay);
    if (!passes)
        shrink(*replay);
    return passes;
}

static uint64_t some_seed(void)
{
    const char *text = getenv("GCALLOC_TEST_SEED");
    if (text != NULL)
        return strtoull(text, NULL, 0);
    return (uint64_t)time(NULL) << 16 ^ (uint64_t)getpid();
}

static int check_all(uint64_t seed)
{
    const struct replay runs[] = {
        {seed, player_share(4000000), 1, false, 200000, 50000},
        {seed + 1, player_share(8000000), 2, false, 500000, 2000000},
        {seed + 2, player_share(8000000), 8, false, 100000, 20000},
        {seed + 3, player_share(400000), 8, false, 20000, 50}, /* threads that live very shortly */
        {seed + 4, player_share(4000000), 4, true, 100000, 50000},
        {seed + 5, player_share(400000), 2, false, 50, 1000}, /* checked all the time */
    };
    int count = sizeof runs / sizeof *runs;
    int failures = 0;
    for (int i = 0; i < count; i++)
        failures += !check(&runs[i]);
    printf("%d%%: Checks: %d, Failures: %d, Errors: 0\n", 100 * (count - failures) / count, count,
           failures);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static struct replay read_arguments(int count, char **arguments, uint64_t seed)
{
    static const struct option names[] = {
        {"operations", required_argument, NULL, 'o'},
        {"threads", required_argument, NULL, 't'},
        {"seed", required_argument, NULL, 's'},
        {"verify-every", required_argument, NULL, 'v'},
        {"life", required_argument, NULL, 'l'},
        {"forks", no_argument, NULL, 'f'},
        {NULL, 0, NULL, 0},
    };
    struct replay replay = {seed, 1000000, 8, false, 500000, 50000};
    int name;
    while ((name = getopt_long(count, arguments, "", names, NULL)) != -1) {
        uint64_t value = optarg != NULL ? strtoull(optarg, NULL, 0) : 0;
        switch (name) {
        case 'o':
            replay.operations = value;
            break;
        case 't':
            replay.threads = (int)value;
            break;
        case 's':
            replay.seed = value;
            break;
        case 'v':
            replay.verify_every = value;
            break;
        case 'l':
            replay.life_max = value;
            break;
        case 'f':
            replay.forks = true;
            break;
        default:
            exit(99);
        }
    }
    if (optind != count || replay.threads < 1 || replay.verify_every < 1 || replay.life_max < 1)
        exit(99);
    return replay;
}

int main(int argument_count, char **arguments)
{
    uint64_t seed = some_seed();
    printf("seed %lu (set GCALLOC_TEST_SEED to repeat)\n", (unsigned long)seed);
    if (argument_count == 1)
        return check_all(seed);
    struct replay replay = read_arguments(argument_count, arguments, seed);
    return check(&replay) ? EXIT_SUCCESS : EXIT_FAILURE;
}
