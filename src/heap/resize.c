/*
 * heap/resize: realloc.
 *
 * A block stays where it is while its slot is not much too large; a large block grows in place or moves by its pages.
 *
 * Locks: none of its own.
 */
#include "heap/allocate.h"

#include "base/image.h"
#include "heap/foreign.h"
#include "heap/large.h"
#include "heap/lookup.h"
#include "heap/misuse.h"
#include "heap/span.h"

#include <errno.h>
#include <string.h>

/* A slot is kept while at least half of it is used: smaller moves save less than they cost. */
static bool fits_slot(size_t size_bytes, size_t slot_bytes)
{
    return size_bytes - class_size_bias < slot_bytes && size_bytes >= slot_bytes / 2;
}

static void *move_block(void *pointer, const struct block *block, size_t size_bytes)
{
    void *fresh = slot_kind(block->state) == SLOT_LEAF ? heap_allocate_leaf(size_bytes) : heap_allocate(size_bytes);
    if (fresh == NULL)
        return NULL;
    memcpy(fresh, pointer, size_bytes < block->size_bytes ? size_bytes : block->size_bytes);
    heap_free(pointer);
    return fresh;
}

/* Returns the block, NULL after a size of 0, which frees, and NULL when memory is short. */
static void *resize_block(void *pointer, const struct block *block, size_t size_bytes)
{
    if (size_bytes == 0) {
        heap_free(pointer);
        return NULL;
    }
    bool is_large = unit_at(pointer)->kind == UNIT_LARGE; /* the span's owner may change right now */
    if (is_large && !class_exists(size_bytes))
        return large_resize(pointer, block->span, size_bytes);
    void *moved = move_block(pointer, block, size_bytes);
    /* Shrinking never fails: the block can stay. */
    return moved == NULL && size_bytes <= block->size_bytes ? pointer : moved;
}

/* The usual case, quickly: an allocated slot that the new size fits too. */
static bool may_stay(const void *pointer, size_t size_bytes)
{
    const struct unit *unit = unit_at(pointer);
    if (unit->kind != UNIT_SPAN || !fits_slot(size_bytes, unit->slot_bytes))
        return false;
    struct slot_position position = unit_slot_position(unit, pointer);
    return position.is_start && slot_is_allocated(slot_state_get(&unit->states[position.index]));
}

int heap_resize(void *pointer, size_t size_bytes, void *caller, void **block_out)
{
    if (size_bytes > BLOCK_BYTES_MAX)
        return -ENOMEM;
    if (!heap_contains(pointer))
        return foreign_resize(pointer, size_bytes, caller, block_out);
    if (size_bytes != 0 && may_stay(pointer, size_bytes)) {
        *block_out = pointer;
        return 0;
    }
    struct block block;
    if (!lookup_block(pointer, &block) || block.start != (uintptr_t)pointer || !block_is_allocated(&block)) {
        misuse_resize(pointer, caller);
        return -EINVAL;
    }
    void *resized = resize_block(pointer, &block, size_bytes);
    if (resized == NULL && size_bytes != 0)
        return -ENOMEM;
    *block_out = resized;
    return 0;
}

static bool size_is_plausible(size_t size_bytes, enum sized_rule rule, size_t usable_bytes)
{
    if (size_bytes > usable_bytes || rule == SIZED_AT_MOST)
        return size_bytes <= usable_bytes;
    size_bytes += size_bytes == 0;
    if (!class_exists(size_bytes) || usable_bytes > CLASS_BYTES_MAX)
        return !class_exists(size_bytes);
    return block_usable_bytes(class_slot_bytes[class_of(size_bytes)]) == usable_bytes;
}

void heap_free_sized(void *pointer, size_t size_bytes, enum sized_rule rule, void *caller)
{
    size_t block_bytes = pointer == NULL ? 0 : lookup_usable_size(pointer);
    if (block_bytes != 0 && UNLIKELY(!size_is_plausible(size_bytes, rule, block_bytes))) {
        misuse_sized_free(pointer, block_bytes, size_bytes, caller);
        return;
    }
    heap_free(pointer);
}
