/*
 * gc/mark_find: words that may be addresses of the heap; and from the offset of a byte in there to the block that holds it, by the
 * table of units (gc/white.h).
 */
#ifndef GC_MARK_FIND_H
#define GC_MARK_FIND_H

#include "base/compiler.h"
#include "gc/mark.h"
#include "gc/white.h"
#include "os/match.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { MARK_GRAIN_BYTES = 16, MARK_EXACT = 1, MARK_RECIPROCAL_SHIFT = 31 };

/* The top 16 bits of an address may be a tag. */
#define MARK_ADDRESS_MASK (((uintptr_t)1 << 48) - 1)

static ALWAYS_INLINE uint64_t slot_index(const struct mark_class *class, uint64_t place_bytes)
{
    return (place_bytes / MARK_GRAIN_BYTES) * class->reciprocal >> MARK_RECIPROCAL_SHIFT;
}

/* The slot, in a unit that has some. */
static ALWAYS_INLINE struct mark_found find_slot(const struct mark_view *view, uint64_t unit, uint64_t offset)
{
    const struct mark_class *class = &view->classes[white_unit_class(unit)];
    uint64_t span_offset = ((offset >> UNIT_SHIFT) - white_unit_back(unit)) << UNIT_SHIFT;
    uint64_t index = slot_index(class, offset - span_offset);
    uintptr_t start = view->heap_start + span_offset + index * class->slot_bytes;
    return (struct mark_found){(uint8_t *)white_unit_address(unit) + index, start, class};
}

static ALWAYS_INLINE bool has_slots(uint64_t unit)
{
    return white_unit_class(unit) - 1 < CLASS_COUNT;
}

static ALWAYS_INLINE uintptr_t start_of(struct mark_found found)
{
    return found.start & ~(uintptr_t)MARK_EXACT;
}

/* The start of the block that holds an offset in the heap, as an offset; SIZE_MAX if none does. */
static inline size_t block_at(const struct mark_view *view, size_t offset)
{
    uint64_t unit = view->units[offset >> UNIT_SHIFT];
    if (has_slots(unit))
        return start_of(find_slot(view, unit, offset)) - view->heap_start;
    return unit == 0 ? SIZE_MAX : ((struct white_large *)white_unit_address(unit))->start - view->heap_start;
}

static ALWAYS_INLINE uint64_t offset_at(const struct mark_view *view, const char *place)
{
    uintptr_t word;
    memcpy(&word, place, sizeof word);
    return (word & MARK_ADDRESS_MASK) - view->heap_start;
}

/* A piece of 64 bytes or less. Nothing is branched on but whether there is anything, and on the size, which is most often the same. */
static ALWAYS_INLINE uint32_t lanes_of(const struct mark_view *view, const char *place, size_t size_bytes)
{
    if (size_bytes >= 64)
        return os_match_wide_64(place, &view->wide);
    uint32_t lanes = 0;
    if ((size_bytes & 32) != 0)
        lanes = os_match_wide_32(place, &view->wide);
    if ((size_bytes & 16) != 0)
        lanes |= os_match_wide_16(place + (size_bytes & 32), &view->wide) << (size_bytes & 32) / 4;
    return lanes;
}

#endif
