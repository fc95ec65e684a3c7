/*
 * property/player: one thread's share of a program that allocates, resizes, hands over and frees at random.
 */
#ifndef TESTS_PROPERTY_PLAYER_H
#define TESTS_PROPERTY_PLAYER_H

#include "property/held.h"
#include "property/random.h"

#include <stddef.h>
#include <stdint.h>

enum { PLACE_COUNT = 4096, MARKET_COUNT = 1024 };

/* Where players leave blocks for each other. What lies there belongs to whoever takes it out. */
struct market {
    struct held *_Atomic places[MARKET_COUNT];
};

struct player {
    struct random random;
    struct market *market; /* NULL: keeps all for itself */
    uint64_t next_id;
    size_t large_bytes_max;
    uint64_t refused; /* how often memory was short */
    struct held *places[PLACE_COUNT];
};

/*
 * How many of so many operations are to be done: sanitizers and coverage make each many times slower, so that makefiles
 * set GCALLOC_TEST_PERCENT.
 */
uint64_t player_share(uint64_t operations);

/* Players with different indexes do different things from one seed, always the same. Uses libc's malloc. */
void player_start(struct player *player, uint64_t seed, int index, struct market *market);

void player_play(struct player *player, uint64_t operations);

/* Checks all that the player holds. */
void player_check(const struct player *player);

/* Frees all that the player holds, or what lies in the market. */
void player_free_all(struct player *player);
void market_free_all(struct market *market);

/* Only the model's own memory. */
void player_end(struct player *player);

#endif
