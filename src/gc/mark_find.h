/*
 * gc/mark_find: from the offset of a byte in the heap to the block that holds it, by the table of units (gc/white.h).
 */
#ifndef GC_MARK_FIND_H
#define GC_MARK_FIND_H

#include "base/compiler.h"
#include "gc/mark.h"
#include "gc/white.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MARK_GRAIN_BYTES = 16, MARK_EXACT = 1, MARK_RECIPROCAL_SHIFT = 31 };

/* The top 16 bits of an address may be a tag. */
#define MARK_ADDRESS_MASK (((uintptr_t)1 << 48) - 1)

/* The slot, in a unit that has some. */
static ALWAYS_INLINE struct mark_found find_slot(const struct mark_view *view, uint64_t unit, uint64_t offset)
{
    const struct mark_class *class = &view->classes[white_unit_class(unit)];
    uint64_t span_offset = ((offset >> UNIT_SHIFT) - white_unit_back(unit)) << UNIT_SHIFT;
    uint64_t index = ((offset - span_offset) / MARK_GRAIN_BYTES) * class->reciprocal >> MARK_RECIPROCAL_SHIFT;
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

#endif
