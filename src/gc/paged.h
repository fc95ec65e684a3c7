/*
 * gc/paged: words that were found in no order, on the way to turn the blocks they lead to grey.
 *
 * What such a word costs is the wait for memory, so it goes two steps: spotted, while the entry of its unit is on the way into the
 * cache, and paged, while the bits of its slot are (struct white_place). White bytes are not asked: those of a gigabyte of small
 * blocks don't fit the cache, their bits do.
 */
#ifndef GC_PAGED_H
#define GC_PAGED_H

#include "base/bits.h"
#include "base/compiler.h"
#include "gc/mark.h"
#include "gc/white.h"

#include <stddef.h>
#include <stdint.h>

/* Moves so many on, the oldest first, MARK_PAGED at most; those before them turn grey. */
void paged_take(struct marker *marker, uint32_t count);

/* All that was found is grey when this returns. */
void paged_flush(struct marker *marker);

/* The block that starts there turns grey at once, whether or not it was before. */
void paged_note(struct marker *marker, uint64_t offset);

/* There is always room for what 64 bytes may hold. */
static ALWAYS_INLINE void paged_make_room(struct marker *marker)
{
    if (UNLIKELY(marker->spotted_count > MARK_SPOTTED - MARK_PIECE_WORDS))
        paged_take(marker, MARK_PAGED);
}

static ALWAYS_INLINE void paged_put(struct marker *marker, uint64_t offset)
{
    __builtin_prefetch(&marker->view.place_units[offset >> UNIT_SHIFT]);
    marker->spotted[marker->spotted_count++] = offset;
    paged_make_room(marker);
}

/* Those of 64 slots from `first` up to `end` that are grey, and are not any more. */
static ALWAYS_INLINE uint64_t paged_take_greys(struct marker *marker, struct white_place *place, size_t first, size_t end)
{
    uint64_t mask = word_mask((uint32_t)first, (uint32_t)(end - first));
    uint64_t greys = __atomic_load_n(&place->grey, __ATOMIC_RELAXED) & mask;
    if (greys == 0)
        return 0;
    if (marker->is_shared)
        return __atomic_fetch_and(&place->grey, ~mask, __ATOMIC_RELAXED) & mask;
    place->grey &= ~mask;
    return greys;
}

#endif
