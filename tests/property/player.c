/*
 * property/player: one thread's share of a program that allocates, resizes, hands over and frees at random.
 *
 * A busy part of its places is used most, so that some blocks live short and some long.
 *
 * Locks: none; the market's places are exchanged.
 */
#include "property/player.h"

#include "support/require.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

uint64_t player_share(uint64_t operations)
{
    const char *text = getenv("GCALLOC_TEST_PERCENT");
    return text != NULL ? operations * strtoull(text, NULL, 10) / 100 : operations;
}

void player_start(struct player *player, uint64_t seed, int index, struct market *market)
{
    *player = (struct player){.market = market, .large_bytes_max = 32 * MIB};
    player->random.state = seed * 1000003u + (uint64_t)index;
    player->next_id = (uint64_t)index << 48;
    for (int i = 0; i < PLACE_COUNT; i++)
        require((player->places[i] = calloc(1, sizeof(struct held))) != NULL);
}

void player_end(struct player *player)
{
    for (int i = 0; i < PLACE_COUNT; i++)
        free(player->places[i]);
}

static bool one_in(struct player *player, uint64_t count)
{
    return random_below(&player->random, count) == 0;
}

/* Pareto; now and then a large block, seldom a huge one. */
static size_t some_size(struct player *player)
{
    if (one_in(player, 20000))
        return random_below(&player->random, player->large_bytes_max) + 1;
    if (one_in(player, 1000))
        return random_below(&player->random, 512 * KIB) + 1;
    size_t size_bytes = random_size(&player->random, 256 * KIB);
    return one_in(player, 500) ? 0 : size_bytes;
}

static size_t some_alignment(struct player *player)
{
    return (size_t)1 << random_below(&player->random, one_in(player, 50) ? 22 : 13);
}

static enum held_kind some_kind(struct player *player)
{
    uint64_t draw = random_below(&player->random, 10);
    return draw < HELD_KINDS ? (enum held_kind)draw : HELD_PLAIN;
}

static void take(struct player *player, struct held *held)
{
    enum held_kind kind = some_kind(player);
    size_t size_bytes = some_size(player);
    if (!held_take(held, kind, size_bytes, some_alignment(player), player->next_id++))
        player->refused++;
}

/* To anything, to a little more or less, or to half as much again as growing arrays do. */
static void resize(struct player *player, struct held *held)
{
    size_t size_bytes = some_size(player);
    if (one_in(player, 2))
        size_bytes = held->size_bytes + held->size_bytes / 2;
    else if (one_in(player, 2))
        size_bytes = held->size_bytes + size_bytes % 32;
    if (size_bytes > 2 * player->large_bytes_max || size_bytes == 0)
        size_bytes = 100;
    if (!held_resize(held, size_bytes))
        player->refused++;
}

/* What is given away is written before, what is got was written by somebody else: hence release and acquire. */
static void trade(struct player *player, struct held **place)
{
    size_t which = random_below(&player->random, MARKET_COUNT);
    struct held *got = atomic_exchange(&player->market->places[which], *place);
    if (got == NULL)
        require((got = calloc(1, sizeof *got)) != NULL);
    *place = got;
}

static struct held **some_place(struct player *player)
{
    uint64_t range = one_in(player, 3) ? PLACE_COUNT : PLACE_COUNT / 16;
    return &player->places[random_below(&player->random, range)];
}

static void step(struct player *player)
{
    struct held **place = some_place(player);
    uint64_t draw = random_below(&player->random, 64);
    if (draw < 6 && player->market != NULL)
        trade(player, place);
    else if ((*place)->block == NULL)
        take(player, *place);
    else if (draw < 12)
        resize(player, *place);
    else if (draw < 16)
        held_check(*place);
    else
        held_free(*place, draw % 4 == 0);
}

void player_play(struct player *player, uint64_t operations)
{
    while (operations-- > 0)
        step(player);
}

void player_check(const struct player *player)
{
    for (int i = 0; i < PLACE_COUNT; i++)
        if (player->places[i]->block != NULL)
            held_check(player->places[i]);
}

void player_free_all(struct player *player)
{
    for (int i = 0; i < PLACE_COUNT; i++)
        if (player->places[i]->block != NULL)
            held_free(player->places[i], false);
}

void market_free_all(struct market *market)
{
    for (int i = 0; i < MARKET_COUNT; i++) {
        struct held *held = atomic_exchange(&market->places[i], NULL);
        if (held != NULL && held->block != NULL)
            held_free(held, false);
        free(held);
    }
}
