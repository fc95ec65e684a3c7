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

/* Runs it in this process, which ends with a line when something is wrong. Returns how often memory was short. */
uint64_t replay_run(const struct replay *replay);

#endif
