/*
 * gc/white_lanes: the white bytes of sixteen slots at once, from their states. All slots of a heap are gone through in each cycle.
 *
 * The compiler makes of this what the machine has: vectors are gcc's and clang's own.
 */
#ifndef GC_WHITE_LANES_H
#define GC_WHITE_LANES_H

#include "base/compiler.h"
#include "gc/white.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 16 };

typedef uint8_t white_lanes __attribute__((vector_size(LANES)));

static ALWAYS_INLINE white_lanes lanes_load(const uint8_t *bytes)
{
    white_lanes lanes;
    memcpy(&lanes, bytes, sizeof lanes);
    return lanes;
}

/* All bits of a lane where the state is that of an allocated block of this birth; `birth` is in the place it has in states. */
static ALWAYS_INLINE white_lanes lanes_born(white_lanes states, uint8_t birth)
{
    const uint8_t mask = (uint8_t)(UINT8_MAX << BIRTH_SHIFT | 1);
    return (white_lanes)((states & mask) == (uint8_t)(birth | 1));
}

static ALWAYS_INLINE bool lanes_any(white_lanes lanes)
{
    uint64_t halves[2];
    memcpy(halves, &lanes, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

/* How many lanes have a bit of `any`. */
static ALWAYS_INLINE uint32_t lanes_count(white_lanes lanes, uint8_t any)
{
    uint64_t halves[2];
    lanes = (white_lanes)((lanes & any) != 0) & (uint8_t)1;
    memcpy(halves, &lanes, sizeof halves);
    return (uint32_t)((halves[0] + halves[1]) * (UINT64_MAX / UINT8_MAX) >> 56);
}

static ALWAYS_INLINE white_lanes lanes_aged(white_lanes states, const struct white_rule *rule)
{
    return lanes_born(states, rule->aged[0]) | lanes_born(states, rule->aged[1]);
}

/* What rule->by_state says of each, without WHITE_AGED. */
static ALWAYS_INLINE white_lanes lanes_white(white_lanes states, const struct white_rule *rule)
{
    white_lanes allocated = (white_lanes)((states & (uint8_t)1) != 0);
    white_lanes leaves = (white_lanes)((states & (uint8_t)KIND_MASK) == (uint8_t)SLOT_LEAF);
    white_lanes candidates = rule->is_young ? lanes_born(states, rule->young) : allocated & ~lanes_born(states, rule->own);
    return (candidates & ((leaves & (uint8_t)WHITE_LEAF) | (~leaves & (uint8_t)WHITE))) | (~allocated & (uint8_t)WHITE_FREE);
}

#endif
