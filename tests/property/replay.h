/*
 * property/replay: a whole run of players from many threads, with forks, threads that end, and checks of the heap.
 */
#ifndef TESTS_PROPERTY_REPLAY_H
#define TESTS_PROPERTY_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

struct replay {
    uint64_t seed;
    uint64_t operations; /* of all threads together */
    int threads;
    bool forks; /* children are made now and then, while the others go on */
    uint64_t
        verify_every; /* operations of a thread between two meetings, at which the whole heap is checked */
    uint64_t
        life_max; /* operations after which at most a thread ends and another goes on in its place */
};

/* What happened on the way. */
struct replay_counts {
    uint64_t lives;    /* threads that were started to play */
    uint64_t children; /* forks, each of which verified its heap and went on for a while */
    uint64_t meetings; /* at which the whole heap was verified */
    uint64_t refused;  /* requests, since memory was short */
};

/* Runs it in this process, which ends with a line when something is wrong. */
struct replay_counts replay_run(const struct replay *replay);

#endif
