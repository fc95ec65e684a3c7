/*
 * property/replay: a whole run of players from many threads.
 *
 * Each player has a keeper, a thread that never allocates from the heap: it starts the thread that plays, and the next
 * one when that has ended. At meetings all threads stand still, alive, and the heap is checked.
 *
 * Locks: one barrier.
 */
#include "property/replay.h"

#include "heap/verify.h"
#include "property/player.h"
#include "support/require.h"
#include "unit/sanitizers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPERATIONS_A_FORK = 100000, CHILD_OPERATIONS = 3000 };

struct seat {
    const struct replay *replay;
    pthread_barrier_t *meeting;
    struct player player;
    int index;
    uint64_t left; /* operations still to do */
    uint64_t to_next_meeting;
    struct replay_counts counts;
};

static void expect_sound(const char *where)
{
    const char *problem = heap_verify(true);
    if (problem == NULL)
        return;
    dprintf(STDERR_FILENO, "process %d: %s: the heap is not sound: %s\n", getpid(), where, problem);
    _exit(1);
}

/* ---- children ---- */

static void *play_in_child(void *argument)
{
    struct player player;
    struct seat *seat = argument;
    player_start(&player, seat->replay->seed + seat->left, 100, seat->player.market);
    player_play(&player, CHILD_OPERATIONS);
    player_free_all(&player);
    player_end(&player);
    return NULL;
}

/*
 * Only the thread that forked is here. All that it holds must be as it was, and it goes on, with blocks of vanished
 * threads from the market too, and with new threads that take the vanished ones' heaps over.
 */
static _Noreturn void be_child(struct seat *seat)
{
    pthread_t threads[2];
    expect_sound("in a new child");
    player_check(&seat->player);
    player_play(&seat->player, CHILD_OPERATIONS);
    for (int i = 0; CHILDREN_START_THREADS && i < 2; i++)
        require(pthread_create(&threads[i], NULL, play_in_child, seat) == 0);
    player_play(&seat->player, CHILD_OPERATIONS);
    for (int i = 0; CHILDREN_START_THREADS && i < 2; i++)
        require(pthread_join(threads[i], NULL) == 0);
    player_check(&seat->player);
    player_free_all(&seat->player);
    market_free_all(seat->player.market);
    expect_sound("in a child");
    _exit(0);
}

static void fork_child(struct seat *seat)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        be_child(seat);
    require(child > 0);
    seat->counts.children++;
    require(waitpid(child, &status, 0) == child);
    if (status == 0)
        return;
    dprintf(STDERR_FILENO, "process %d: child %d ended with status %x\n", getpid(), child,
            (unsigned)status);
    _exit(1);
}

/* ---- threads ---- */

static void meet(struct seat *seat)
{
    pthread_barrier_wait(seat->meeting);
    if (seat->index == 0)
        expect_sound("at a meeting");
    seat->counts.meetings++;
    pthread_barrier_wait(seat->meeting);
    seat->to_next_meeting = seat->replay->verify_every;
}

static uint64_t least(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t less = a < b ? a : b;
    return less < c ? less : c;
}

/* One thread's life. The last operation of a run comes right before a meeting. */
static void *live(void *argument)
{
    struct seat *seat = argument;
    struct random *random = &seat->player.random;
    uint64_t life = 1 + random_below(random, seat->replay->life_max);
    while (life > 0 && seat->left > 0) {
        uint64_t count = least(life, seat->left, 1 + random_below(random, OPERATIONS_A_FORK));
        count = count < seat->to_next_meeting ? count : seat->to_next_meeting;
        player_play(&seat->player, count);
        life -= count;
        seat->left -= count;
        seat->to_next_meeting -= count;
        if (seat->replay->forks && random_below(random, OPERATIONS_A_FORK) < count)
            fork_child(seat);
        if (seat->to_next_meeting == 0 || seat->left == 0)
            meet(seat);
    }
    return NULL;
}

static void *keep(void *argument)
{
    struct seat *seat = argument;
    while (seat->left > 0) {
        pthread_t thread;
        seat->counts.lives++;
        require(pthread_create(&thread, NULL, live, seat) == 0);
        require(pthread_join(thread, NULL) == 0);
    }
    return NULL;
}

/* ---- all of it ---- */

static struct replay_counts finish(struct seat *seats, const struct replay *replay,
                                   struct market *market)
{
    struct replay_counts counts = {.meetings = seats[0].counts.meetings};
    expect_sound("when all threads have ended");
    for (int i = 0; i < replay->threads; i++) {
        player_check(&seats[i].player);
        player_free_all(&seats[i].player);
        counts.lives += seats[i].counts.lives;
        counts.children += seats[i].counts.children;
        counts.refused += seats[i].player.refused;
        player_end(&seats[i].player);
    }
    market_free_all(market);
    expect_sound("when all is freed");
    return counts;
}

/* Every thread does the same number of operations, so that all come to the same meetings. */
struct replay_counts replay_run(const struct replay *replay)
{
    int count = replay->threads;
    struct seat *seats = calloc((size_t)count, sizeof *seats);
    struct market *market = calloc(1, sizeof *market);
    pthread_t *keepers = calloc((size_t)count, sizeof *keepers);
    pthread_barrier_t meeting;
    require(seats != NULL && market != NULL && keepers != NULL);
    require(pthread_barrier_init(&meeting, NULL, (unsigned)count) == 0);
    for (int i = 0; i < count; i++) {
        seats[i] = (struct seat){.replay = replay, .meeting = &meeting, .index = i};
        seats[i].left = replay->operations / (unsigned)count;
        seats[i].to_next_meeting = replay->verify_every;
        player_start(&seats[i].player, replay->seed, i, market);
        require(pthread_create(&keepers[i], NULL, keep, &seats[i]) == 0);
    }
    for (int i = 0; i < count; i++)
        require(pthread_join(keepers[i], NULL) == 0);
    struct replay_counts counts = finish(seats, replay, market);
    pthread_barrier_destroy(&meeting);
    free(keepers);
    free(market);
    free(seats);
    return counts;
}
