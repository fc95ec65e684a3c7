/*
 * property/faults: the kernel refuses memory, at the first call, at the second, and so on, once or from then on.
 *
 * Whatever is refused, the program sees NULL or nothing at all; what it holds stays as it was, freeing works without
 * memory, and the heap is sound and useful when the kernel gives memory again.
 */
#include "heap/allocate.h"
#include "heap/verify.h"
#include "heap/walk.h"
#include "os/memory.h"
#include "property/player.h"
#include "support/require.h"
#include "support/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 150, OPERATIONS = 20000, THREADS = 3, LARGE_BYTES_MAX = 16 << 20, HOARD = 400000 };

enum { SAW_REFUSAL = 10 }; /* a child's exit status; 0 when nothing was refused */

struct work {
    struct player player;
    uint64_t seed;
    int index;
    struct market *market;
};

/* So many small blocks that their records alone need memory more than once. */
static uint64_t *hoard[HOARD];

static uint64_t take_hoard(void)
{
    uint64_t refused = 0;
    for (size_t i = 0; i < HOARD; i++) {
        hoard[i] = heap_allocate(sizeof(uint64_t));
        refused += hoard[i] == NULL;
        if (hoard[i] != NULL)
            *hoard[i] = (uintptr_t)&hoard[i];
    }
    return refused;
}

static void free_hoard(void)
{
    for (size_t i = 0; i < HOARD; i++) {
        require(hoard[i] == NULL || *hoard[i] == (uintptr_t)&hoard[i]);
        heap_free(hoard[i]);
    }
}

static void *work_in_thread(void *argument)
{
    struct work *work = argument;
    player_start(&work->player, work->seed, work->index, work->market);
    work->player.large_bytes_max = LARGE_BYTES_MAX;
    player_play(&work->player, player_share(OPERATIONS));
    return NULL;
}

static void expect_sound(const char *when)
{
    const char *problem = heap_verify(true);
    if (problem != NULL)
        dprintf(STDERR_FILENO, "%s: the heap is not sound: %s\n", when, problem);
    require(problem == NULL);
}

/* The work itself, while the kernel refuses. Returns how often memory was short. */
static uint64_t work_together(struct work *works)
{
    pthread_t threads[THREADS];
    uint64_t refused = 0;
    for (int i = 1; i < THREADS; i++)
        require(pthread_create(&threads[i], NULL, work_in_thread, &works[i]) == 0);
    work_in_thread(&works[0]);
    refused += take_hoard();
    for (int i = 1; i < THREADS; i++)
        require(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        refused += works[i].player.refused;
    return refused;
}

/* Afterwards all that is held is as it was, and the heap serves as if nothing had happened. */
static void recover(struct work *works)
{
    expect_sound("after the refusals");
    for (int i = 0; i < THREADS; i++)
        player_check(&works[i].player);
    os_memory_fail(0, 0);
    uint64_t refused_before = works[0].player.refused;
    player_play(&works[0].player, player_share(OPERATIONS));
    require(works[0].player.refused == refused_before);
    expect_sound("after more work");
}

static bool count_block(void *block, size_t size_bytes, void *context)
{
    (void)block;
    (void)size_bytes;
    ++*(size_t *)context;
    return true;
}

static _Noreturn void run_child(uint64_t seed, uint64_t at, uint64_t every,
                                bool frees_without_memory)
{
    static struct work works[THREADS];
    static struct market market;
    size_t left = 0;
    os_memory_fail(at, every);
    for (int i = 0; i < THREADS; i++)
        works[i] = (struct work){.seed = seed, .index = i, .market = &market};
    uint64_t refused = work_together(works);
    if (!frees_without_memory)
        recover(works);
    free_hoard();
    for (int i = 0; i < THREADS; i++)
        player_free_all(&works[i].player);
    market_free_all(&market);
    expect_sound("after all is freed");
    os_memory_fail(0, 0);
    heap_walk(count_block, &left);
    require(left == 0);
    _exit(refused != 0 ? SAW_REFUSAL : 0);
}

/* The heap starts before, or its options would turn the refusals off again. */
static bool sees_refusal(uint64_t seed, uint64_t at, uint64_t every, bool frees_without_memory)
{
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        require(thread_heap_get() != NULL);
        run_child(seed, at, every, frees_without_memory);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) &&
                      (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == SAW_REFUSAL),
                  "refused at %lu, every %lu, seed %lu: status %x", (unsigned long)at,
                  (unsigned long)every, (unsigned long)seed, (unsigned)status);
    return WEXITSTATUS(status) == SAW_REFUSAL;
}

/* Most are made good by asking for less or by giving back what threads keep, so the program need not see one. */
START_TEST(one_refusal_at_any_call)
{
    for (uint64_t at = 1; at <= CALLS; at++)
        sees_refusal(at % 4, at, 0, false);
}
END_TEST

START_TEST(refusals_at_regular_intervals)
{
    for (uint64_t every = 1; every <= 40; every++) {
        bool refused = sees_refusal(every, 0, every, false);
        refused &= sees_refusal(every, 0, every, true);
        ck_assert(refused || every != 1);
    }
}
END_TEST

/* Some work is done first, so that there is much to lose. */
static _Noreturn void run_out_child(uint64_t seed)
{
    static struct player player;
    require(thread_heap_get() != NULL);
    player_start(&player, seed, 0, NULL);
    player.large_bytes_max = LARGE_BYTES_MAX;
    player_play(&player, 20000);
    require(player.refused == 0);
    os_memory_fail(0, 1);
    player_play(&player, 40000);
    uint64_t refused = player.refused;
    player_check(&player);
    expect_sound("with no memory left");
    player_free_all(&player);
    expect_sound("when all was freed with no memory left");
    player_play(&player, 20000); /* from what was freed */
    player_check(&player);
    os_memory_fail(0, 0);
    expect_sound("with memory again");
    _exit(refused != 0 ? SAW_REFUSAL : 0);
}

START_TEST(nothing_more_from_some_moment_on)
{
    int refusals = 0;
    for (uint64_t seed = 0; seed < 30; seed++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            run_out_child(seed);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(WIFEXITED(status) &&
                          (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == SAW_REFUSAL),
                      "seed %lu: status %x", (unsigned long)seed, (unsigned)status);
        refusals += WEXITSTATUS(status) == SAW_REFUSAL;
    }
    ck_assert_int_ge(refusals, 15); /* now and then what is there is enough */
}
END_TEST

/* The very first calls: the heap can't start, says so each time, and starts when it can. */
START_TEST(a_heap_that_can_not_start_starts_later)
{
    for (int at = 1; at <= 12; at++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            char text[40];
            snprintf(text, sizeof text, "fail_map=%d", at);
            setenv("GCALLOC_OPTIONS", text, 1);
            void *first = heap_allocate(100);
            void *second = first != NULL ? first : heap_allocate(100);
            require(first != NULL || second != NULL);
            require(heap_allocate(CLASS_BYTES_MAX + 1) != NULL ||
                    heap_allocate(CLASS_BYTES_MAX + 1) != NULL);
            expect_sound("after a late start");
            _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(status == 0, "refused at call %d: status %x", at, (unsigned)status);
    }
}
END_TEST

static TCase *faults(void)
{
    TCase *tests = tcase_create("faults");
    tcase_set_timeout(tests, 600); /* hundreds of children, maybe under a sanitizer on a busy machine */
    tcase_add_test(tests, one_refusal_at_any_call);
    tcase_add_test(tests, refusals_at_regular_intervals);
    tcase_add_test(tests, nothing_more_from_some_moment_on);
    tcase_add_test(tests, a_heap_that_can_not_start_starts_later);
    return tests;
}

int main(void)
{
    static test_case_maker *const makers[] = {faults};
    return suite_run("refused memory", makers, 1);
}
