/*
 * leak/flood: from blocks to what they lead to, and on, without waiting for memory each time. Only src/leak/ includes this.
 *
 * As in gc/mark: the byte of what a word leads to is prefetched and looked at sixteen words later, a block that was found is
 * prefetched and read sixteen blocks later. What a word means is said by who floods, in `resolve`.
 */
#ifndef LEAK_FLOOD_H
#define LEAK_FLOOD_H

#include "base/bits.h"
#include "base/compiler.h"
#include "leak/census.h"

#include <stdint.h>
#include <string.h>

enum { FLOOD_AHEAD = 16 };

/* A block that waits to be read. */
struct flood_work {
    uintptr_t start;
    size_t size_bytes;
};

/* A word that waits to be looked at. cell.span is NULL when it leads to no slot. */
struct flood_word {
    struct cell cell;
    uintptr_t address;
};

/* All zero but for `pending`, which has room for all blocks that are pushed. */
struct flood {
    struct flood_work *pending;
    size_t count;
    uint32_t next_ahead;
    uint32_t ahead_count;
    uint32_t next_word;
    uint32_t word_count;
    struct flood_work left_out; /* words that lead there are passed over */
    struct flood_work ahead[FLOOD_AHEAD];
    struct flood_word words[FLOOD_AHEAD];
};

/* May push, and calls nothing else here. */
typedef void flood_resolve(struct flood *flood, const struct flood_word *word, void *context);

static inline void flood_push(struct flood *flood, const struct cell *cell)
{
    flood->pending[flood->count++] = (struct flood_work){cell->start, cell->size_bytes};
}

/* Looks at the oldest word that waits. */
static ALWAYS_INLINE void flood_resolve_oldest(struct flood *flood, flood_resolve *resolve, void *context)
{
    struct flood_word oldest = flood->words[flood->next_word];
    flood->next_word = (flood->next_word + 1) % FLOOD_AHEAD;
    flood->word_count--;
    resolve(flood, &oldest, context);
}

/* Looks at all words that wait. What they lead to waits to be read. */
static ALWAYS_INLINE void flood_settle(struct flood *flood, flood_resolve *resolve, void *context)
{
    while (flood->word_count > 0)
        flood_resolve_oldest(flood, resolve, context);
}

/* The word may be an address of the heap, or the one behind its end. */
static ALWAYS_INLINE void flood_meet(struct flood *flood, uintptr_t address, flood_resolve *resolve, void *context)
{
    struct flood_word word = {.address = address};
    if (UNLIKELY(address - flood->left_out.start < flood->left_out.size_bytes))
        return;
    if (UNLIKELY(address - census.heap_start >= census.heap_bytes) || UNLIKELY(!census_find(address, &word.cell))) {
        resolve(flood, &word, context);
        return;
    }
    __builtin_prefetch(&census.marks[word.cell.place], 1);
    if (flood->word_count == FLOOD_AHEAD)
        flood_resolve_oldest(flood, resolve, context);
    flood->words[(flood->next_word + flood->word_count) % FLOOD_AHEAD] = word;
    flood->word_count++;
}

/* `lanes` has a bit for each upper half of a word; lane 0 lies at `place`. */
static ALWAYS_INLINE void flood_lanes(struct flood *flood, const char *place, uint32_t lanes, flood_resolve *resolve,
                                      void *context)
{
    for (; lanes != 0; lanes &= lanes - 1) {
        uintptr_t word;
        memcpy(&word, place + 4 * bit_lowest(lanes) - 4, sizeof word);
        word &= CENSUS_ADDRESS_MASK;
        if (word - census.heap_start <= census.heap_bytes)
            flood_meet(flood, word, resolve, context);
    }
}

/* The words at the multiples of four; the first lane is nobody's upper half. */
static ALWAYS_INLINE void flood_read(struct flood *flood, struct flood_work work, flood_resolve *resolve, void *context)
{
    const char *place = (const char *)work.start;
    const char *end = place + work.size_bytes;
    uint32_t wanted = ~(uint32_t)1;
    for (; end - place >= 64; place += 64, wanted = ~(uint32_t)0)
        flood_lanes(flood, place, os_match_64(place, census.match) & wanted, resolve, context);
    for (; end - place >= 16; place += 16, wanted = ~(uint32_t)0)
        flood_lanes(flood, place, os_match_16(place, census.match) & wanted, resolve, context);
}

struct flood_callback {
    struct flood *flood;
    flood_resolve *resolve;
    void *context;
};

static inline void flood_meet_word(uintptr_t word, void *context)
{
    struct flood_callback *callback = context;
    flood_meet(callback->flood, word, callback->resolve, callback->context);
}

/* Where words may be distances, or parts of blocks can't be read. */
static inline void flood_read_otherwise(struct flood *flood, struct flood_work work, flood_resolve *resolve, void *context)
{
    struct flood_callback callback = {flood, resolve, context};
    struct cell cell = {.start = work.start, .size_bytes = work.size_bytes};
    census_scan(&cell, flood_meet_word, &callback);
}

/* Reads a block. */
static ALWAYS_INLINE void flood_block(struct flood *flood, struct flood_work work, flood_resolve *resolve, void *context)
{
    if (UNLIKELY(census.unreadable_count != 0) || UNLIKELY(census.distances))
        flood_read_otherwise(flood, work, resolve, context);
    else
        flood_read(flood, work, resolve, context);
}

/* Takes a block to the end of those that were prefetched, and reads the one at their head. */
static ALWAYS_INLINE void flood_step(struct flood *flood, flood_resolve *resolve, void *context)
{
    struct flood_work oldest = {0, 0};
    bool has_more = flood->count != 0;
    if (flood->ahead_count == FLOOD_AHEAD || !has_more) {
        oldest = flood->ahead[flood->next_ahead];
        flood->next_ahead = (flood->next_ahead + 1) % FLOOD_AHEAD;
        flood->ahead_count--;
    }
    if (has_more) {
        struct flood_work work = flood->pending[--flood->count];
        __builtin_prefetch((const void *)work.start);
        __builtin_prefetch((const void *)(work.start + (work.size_bytes < 128 ? work.size_bytes - 1 : 127)));
        flood->ahead[(flood->next_ahead + flood->ahead_count) % FLOOD_AHEAD] = work;
        flood->ahead_count++;
    }
    if (oldest.size_bytes != 0)
        flood_block(flood, oldest, resolve, context);
}

/* Reads all that waits, and what that leads to. */
static ALWAYS_INLINE void flood_run(struct flood *flood, flood_resolve *resolve, void *context)
{
    while (flood->count + flood->ahead_count + flood->word_count != 0) {
        while (flood->count + flood->ahead_count != 0)
            flood_step(flood, resolve, context);
        flood_settle(flood, resolve, context);
    }
}

#endif
