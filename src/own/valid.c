/*
 * own/valid: what is at an address.
 *
 * Uses heap. Locks: none.
 */
#include "gcalloc/valid.h"

#include "heap/layout.h"
#include "own/arena.h"
#include "own/export.h"
#include "own/pool.h"
#include "own/self.h"

/* A slot or large block in use, whatever its use. */
static bool find(const void *address, struct block *block_out)
{
    return lookup_block(address, block_out) && slot_is_allocated(block_out->state);
}

EXPORT gca_kind gca_kind_of(const void *address)
{
    struct block block;
    if (!layout_owns(address))
        return GCA_KIND_FOREIGN;
    if (!find(address, &block))
        return GCA_KIND_FREE;
    if (block.use == USE_ARENA)
        return GCA_KIND_ARENA;
    if (block.use == USE_POOL)
        return gca_pool_of(address) != NULL ? GCA_KIND_POOL : GCA_KIND_FREE;
    struct note *note = slot_is_noted(block.state) ? note_of(&block) : NULL;
    return note != NULL && note_has(note, HOLDER_COUNTED) ? GCA_KIND_COUNTED : GCA_KIND_MALLOC;
}

/* What the address is part of; false for none. An arena says no objects apart. */
static bool extent(const void *address, uintptr_t *start_out, size_t *size_out)
{
    struct block block;
    if (!find(address, &block))
        return false;
    if (block.use == USE_POOL)
        return pool_object(address, start_out, size_out);
    *start_out = block.start;
    *size_out = block_usable(&block);
    return (uintptr_t)address - block.start < *size_out;
}

EXPORT void *gca_start_of(const void *address, size_t *size_bytes_out)
{
    uintptr_t start;
    size_t size_bytes;
    if (!extent(address, &start, &size_bytes))
        return NULL;
    if (size_bytes_out != NULL)
        *size_bytes_out = size_bytes;
    return (void *)start;
}

EXPORT size_t gca_bytes_from(const void *address)
{
    uintptr_t start;
    size_t size_bytes;
    return extent(address, &start, &size_bytes) ? start + size_bytes - (uintptr_t)address : 0;
}

EXPORT bool gca_is_range(const void *start, size_t size_bytes)
{
    return size_bytes <= gca_bytes_from(start) && size_bytes != 0;
}

EXPORT bool gca_is_index(const void *array, size_t index, size_t element_bytes)
{
    size_t offset, end;
    if (!layout_owns(array))
        return true;
    return !__builtin_mul_overflow(index, element_bytes, &offset) && !__builtin_add_overflow(offset, element_bytes, &end) &&
           end <= gca_bytes_from(array);
}

EXPORT void gca_check_index(const void *array, size_t index, size_t element_bytes, const gca_place *place)
{
    if (gca_is_index(array, index, element_bytes))
        return;
    size_t size_bytes = gca_bytes_from(array);
    if (size_bytes == 0)
        own_report(&(struct own_report){.object = array, .section = "invalid index", .place = place, .is_checked = true},
                   "index %zu of %p, which is no block that is allocated", index, array);
    else
        own_report(&(struct own_report){.object = array, .section = "invalid index", .place = place, .is_checked = true},
                   "index %zu of %p, where there is room for %zu", index, array, size_bytes / element_bytes);
}
