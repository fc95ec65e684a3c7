/*
 * leak/census_each: goes through the marks of all slots, many at a time. Only src/leak/ includes this.
 */
#ifndef LEAK_CENSUS_EACH_H
#define LEAK_CENSUS_EACH_H

#include "base/bits.h"
#include "leak/census.h"

/* The lowest so many of MARK_LANES bits. */
static inline uint32_t lanes_below(size_t count)
{
    return count < MARK_LANES ? ((uint32_t)1 << count) - 1 : UINT32_MAX;
}

/* Calls visit for each slot of the span whose mark, seen through the mask, is the value. */
static ALWAYS_INLINE void census_each_slot_like(struct span *span, uint8_t mask, uint8_t value,
                                                void (*visit)(const struct cell *cell, void *context), void *context)
{
    const size_t place = census_place(span->first_unit);
    const size_t slot_bytes = span->slot_bytes;
    const size_t count = span_is_large(span) ? 1 : span->slot_count;
    for (size_t i = 0; i < count; i += MARK_LANES) {
        uint32_t like = os_bytes_like_16(census.marks + place + i, mask, value) & lanes_below(count - i);
        for (; like != 0; like &= like - 1) {
            size_t index = i + bit_lowest(like);
            struct cell cell = {place + index, index, span->start + index * slot_bytes, slot_bytes, span};
            visit(&cell, context);
        }
    }
}

/* The same for all, by address. Up to MARK_LANES marks are looked at before visit is called for the first of them. */
static ALWAYS_INLINE void census_each_like(uint8_t mask, uint8_t value, void (*visit)(const struct cell *cell, void *context),
                                           void *context)
{
    for (struct span *span = span_from(0); span != NULL; span = span_from(span->first_unit + span->unit_count))
        census_each_slot_like(span, mask, value, visit, context);
}

enum { CENSUS_AHEAD = 8 };

/* What was met and waits for its block to come into the cache. */
struct census_ring {
    void (*visit)(const struct cell *cell, void *context);
    void *context;
    size_t count;
    struct cell cells[CENSUS_AHEAD];
};

static ALWAYS_INLINE void census_put_ahead(const struct cell *cell, void *context)
{
    struct census_ring *ring = context;
    struct cell *place = &ring->cells[ring->count % CENSUS_AHEAD];
    struct cell oldest = *place;
    *place = *cell;
    __builtin_prefetch((const void *)cell->start);
    if (LIKELY(ring->count++ >= CENSUS_AHEAD))
        ring->visit(&oldest, ring->context);
}

/* As census_each_like(), for who reads the blocks: each is prefetched, and visited some blocks later. */
static ALWAYS_INLINE void census_each_read(uint8_t mask, uint8_t value, void (*visit)(const struct cell *cell, void *context),
                                           void *context)
{
    struct census_ring ring = {.visit = visit, .context = context};
    census_each_like(mask, value, census_put_ahead, &ring);
    for (size_t i = ring.count < CENSUS_AHEAD ? 0 : ring.count - CENSUS_AHEAD; i < ring.count; i++)
        visit(&ring.cells[i % CENSUS_AHEAD], context);
}

#endif
