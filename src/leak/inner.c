/*
 * leak/inner: addresses inside a block that hold it as well as its start does.
 *
 * The rules are those of Valgrind's memcheck (--leak-check-heuristics), but for objects with several bases: there the
 * table of virtual functions itself says how far the part is from the object's start, as the C++ ABI for Itanium has it.
 * Rust's hash tables (std, hashbrown) are told by their control bytes, of which the first are there once more at the end.
 *
 * Uses base, heap. Locks: none.
 */
#include "leak/inner.h"

#include "base/bits.h"
#include "heap/unit.h"

#include <string.h>

enum {
    COUNT_BYTES = 8,
    WIDE_COUNT_BYTES = 16,
    STRING_HEADER_BYTES = 24,
    POINTER_ALIGNMENT = 8,
    POINTER_BYTES = 8,
    TABLE_EMPTY = 0xff, /* the control byte of a bucket without an entry */
#ifdef __SSE2__
    TABLE_GROUP_BYTES = 16, /* looked at by one instruction */
#else
    TABLE_GROUP_BYTES = 8,
#endif
};

/* What the program may have asked for, when it is not recorded: more than the next smaller class. */
struct extent {
    size_t least_bytes;
    size_t most_bytes;
};

static struct extent extent_of(const struct cell *cell)
{
    size_t size_bytes;
    struct block_record record = census_record(cell);
    if (census_size(cell, &record, &size_bytes))
        return (struct extent){size_bytes, size_bytes};
    uint32_t class_index = cell->span->class_index;
    bool is_slot = cell->span->slot_count > 1;
    size_t smaller = !is_slot ? size_bytes - UNIT_BYTES : class_least_bytes(class_index);
    return (struct extent){smaller, size_bytes};
}

static uint64_t word_at(uintptr_t address)
{
    uint64_t word;
    memcpy(&word, (const void *)address, sizeof word);
    return word;
}

static bool fits(struct extent extent, uint64_t size_bytes)
{
    return size_bytes >= extent.least_bytes && size_bytes <= extent.most_bytes;
}

/* `count` elements of some size fill what is behind the count. */
static bool is_array(const struct cell *cell, struct extent extent, size_t offset)
{
    uint64_t count = word_at(cell->start + offset - COUNT_BYTES);
    if (count == 0 || extent.most_bytes <= offset || count > extent.most_bytes - offset)
        return false;
    uint64_t element_bytes = (extent.most_bytes - offset) / count;
    return fits(extent, offset + count * element_bytes);
}

static bool is_string(const struct cell *cell, struct extent extent)
{
    uint64_t length = word_at(cell->start);
    uint64_t capacity = word_at(cell->start + COUNT_BYTES);
    return length <= capacity && capacity < extent.most_bytes && fits(extent, STRING_HEADER_BYTES + capacity + 1);
}

/* Both the object and the part begin with the address of a table; in front of that stands the way back to the start. */
static bool is_base(const struct cell *cell, uintptr_t address)
{
    enum { OFFSET_TO_TOP_BYTES = 16 };
    uint64_t table = word_at(address);
    uint64_t first_table = word_at(cell->start);
    uint64_t offset_to_top;
    if (census.source->read == NULL || table % POINTER_ALIGNMENT != 0 || first_table % POINTER_ALIGNMENT != 0 ||
        table < OFFSET_TO_TOP_BYTES || first_table < OFFSET_TO_TOP_BYTES)
        return false;
    return census.source->read(table - OFFSET_TO_TOP_BYTES, &offset_to_top) &&
           offset_to_top == cell->start - address &&
           census.source->read(first_table - OFFSET_TO_TOP_BYTES, &offset_to_top) && offset_to_top == 0;
}

/* Who aligns blocks by hand has their start in front of what is given out, for free(). */
static bool is_aligned_by_hand(const struct cell *cell, size_t offset)
{
    return offset >= POINTER_BYTES && word_at(cell->start + offset - POINTER_BYTES) == cell->start;
}

/* As many as fit behind the buckets, and a power of two; or 0. */
static size_t buckets_of(struct extent extent, size_t offset)
{
    if (extent.most_bytes <= offset + TABLE_GROUP_BYTES)
        return 0;
    size_t count = (size_t)1 << bit_highest(extent.most_bytes - offset - TABLE_GROUP_BYTES);
    return fits(extent, offset + count + TABLE_GROUP_BYTES) ? count : 0;
}

/* The buckets lie in front of the address, a byte for each behind it, at least one of them empty. */
static bool is_table(const struct cell *cell, struct extent extent, size_t offset)
{
    const char *control = (const char *)cell->start + offset;
    size_t count = buckets_of(extent, offset);
    if (count == 0 || offset % TABLE_GROUP_BYTES != 0)
        return false;
    size_t repeated = count < TABLE_GROUP_BYTES ? count : TABLE_GROUP_BYTES;
    size_t behind = count < TABLE_GROUP_BYTES ? TABLE_GROUP_BYTES : count;
    return memcmp(control, control + behind, repeated) == 0 && memchr(control, TABLE_EMPTY, count) != NULL;
}

/* Arenas and pools lie inside their first chunk, and what they hand out inside any: nobody has the start. */
static bool is_chunk(const struct cell *cell)
{
    return unit_at((const void *)cell->start)->use != USE_MALLOC;
}

bool inner_holds(const struct cell *cell, uintptr_t address)
{
    if (is_chunk(cell))
        return true;
    size_t offset = address - cell->start;
    if (offset % POINTER_ALIGNMENT != 0 || offset + sizeof(uint64_t) > cell->size_bytes)
        return false;
    struct extent extent = extent_of(cell);
    if (offset == COUNT_BYTES && fits(extent, word_at(cell->start) + COUNT_BYTES))
        return true;
    if ((offset == COUNT_BYTES || offset == WIDE_COUNT_BYTES) && is_array(cell, extent, offset))
        return true;
    if (offset == STRING_HEADER_BYTES && is_string(cell, extent))
        return true;
    return is_aligned_by_hand(cell, offset) || is_table(cell, extent, offset) || is_base(cell, address);
}
