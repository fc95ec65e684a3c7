/*
 * heap/resize: realloc.
 *
 * A block stays where it is while its slot is not much too large; a large block grows in place or moves by its pages.
 *
 * Locks: none of its own.
 */
#include "heap/allocate.h"

#include "base/image.h"
#include "heap/collector.h"
#include "heap/foreign.h"
#include "heap/large.h"
#include "heap/lookup.h"
#include "heap/misuse.h"
#include "heap/note.h"
#include "heap/recorder.h"
#include "heap/span.h"

#include <errno.h>
#include <string.h>

/* A slot is kept while at least half of it is used: smaller moves save less than they cost. */
static bool fits_slot(size_t size_bytes, size_t slot_bytes)
{
    return size_bytes - class_rule.bias < slot_bytes && size_bytes >= slot_bytes / 2;
}

/* To a slot, from a slot or a large block; to anywhere, from between guard pages. */
static void *move_block(void *pointer, enum slot_kind kind, size_t size_bytes)
{
    size_t old_bytes = lookup_usable_size(pointer);
    void *fresh = UNLIKELY(kind == SLOT_LEAF) ? heap_allocate_leaf(size_bytes) : heap_allocate(size_bytes);
    if (UNLIKELY(fresh == NULL)) /* shrinking never fails: the block can stay */
        return size_bytes <= old_bytes ? pointer : NULL;
    size_t copied_bytes = size_bytes < old_bytes ? size_bytes : old_bytes;
    memcpy(fresh, pointer, copied_bytes);
    heap_collector_copied(fresh, copied_bytes);
    heap_free(pointer);
    return fresh;
}

/* Returns NULL when memory is short. */
static void *resize_block(void *pointer, enum slot_kind kind, size_t size_bytes)
{
    const struct unit *unit = unit_at(pointer);
    if (UNLIKELY(span_is_guarded(unit->span)))
        return move_block(pointer, kind, size_bytes);
    if (UNLIKELY(unit->kind == UNIT_LARGE) && !class_exists(size_bytes)) {
        heap_record_end(pointer); /* while its length is known */
        return heap_recorded(large_resize(pointer, unit->span, size_bytes), size_bytes);
    }
    if (unit->kind == UNIT_SPAN && fits_slot(size_bytes, unit->slot_bytes))
        return heap_recorded(pointer, size_bytes);
    return move_block(pointer, kind, size_bytes);
}

/* A block that somebody has a note about stays where it is if it can; else the note goes with it. */
COLD static int resize_noted(void *pointer, uint8_t state, size_t size_bytes, void *caller, void **block_out)
{
    struct block block, fresh;
    *block_out = NULL;
    if (size_bytes == 0) {
        heap_free(pointer);
        return 0;
    }
    if (!lookup_block(pointer, &block) || !heap_note_resizing(&block, caller))
        return -EINVAL;
    *block_out = heap_recorded(pointer, size_bytes);
    if (fits_slot(size_bytes, block.size_bytes) && !span_is_guarded(block.span))
        return 0;
    void *moved = slot_kind(state) == SLOT_LEAF ? heap_allocate_leaf(size_bytes) : heap_allocate(size_bytes);
    if (moved == NULL || !lookup_block(moved, &fresh) || !heap_note_moved(&block, &fresh)) {
        if (moved != NULL)
            heap_free(moved);
        return size_bytes <= block_usable(&block) ? 0 : -ENOMEM;
    }
    size_t copied_bytes = size_bytes < block_usable(&block) ? size_bytes : block_usable(&block);
    memcpy(moved, pointer, copied_bytes);
    heap_collector_copied(moved, copied_bytes);
    heap_free(pointer);
    *block_out = moved;
    return 0;
}

NOINLINE static int resize_slowly(void *pointer, size_t size_bytes, void *caller, void **block_out)
{
    uint8_t state;
    bool is_allocated = lookup_start(pointer, &state);
    if (UNLIKELY(!slot_is_plain(state))) {
        if (is_allocated && slot_is_noted(state))
            return resize_noted(pointer, state, size_bytes, caller, block_out);
        if (!is_allocated) {
            misuse_resize(pointer, caller);
            return -EINVAL;
        }
    }
    void *resized = NULL;
    if (UNLIKELY(size_bytes == 0))
        heap_free(pointer);
    else if ((resized = resize_block(pointer, slot_kind(state), size_bytes)) == NULL)
        return -ENOMEM;
    *block_out = resized;
    return 0;
}

/* What moves from one slot to another, and no recorder wants to know of it. Apart: a block that stays needs no registers saved. */
NOINLINE static int move_slot(void *pointer, size_t old_bytes, size_t size_bytes, void **block_out)
{
    void *fresh = heap_allocate(size_bytes);
    if (UNLIKELY(fresh == NULL)) { /* shrinking never fails: the block can stay */
        if (size_bytes > block_usable_bytes(old_bytes))
            return -ENOMEM;
        *block_out = pointer;
        return 0;
    }
    size_t copied_bytes = size_bytes < old_bytes ? size_bytes : old_bytes;
    memcpy(fresh, pointer, copied_bytes);
    heap_collector_copied(fresh, copied_bytes);
    heap_free(pointer);
    *block_out = fresh;
    return 0;
}

/* The usual case, quickly: a plain block in a slot that stays one. Everything else is looked at again. */
int heap_resize(void *pointer, size_t size_bytes, void *caller, void **block_out)
{
    if (UNLIKELY(size_bytes > BLOCK_BYTES_MAX))
        return -ENOMEM;
    if (UNLIKELY(!heap_contains(pointer)))
        return foreign_resize(pointer, size_bytes, caller, block_out);
    const struct unit *unit = unit_at(pointer);
    if (UNLIKELY(unit->kind != UNIT_SPAN || !class_is_quick(size_bytes) || size_bytes == 0))
        return resize_slowly(pointer, size_bytes, caller, block_out);
    struct slot_position position = unit_slot_position(unit, pointer);
    if (UNLIKELY(!position.is_start || !slot_is_plain(slot_state_get(unit->states + position.index))))
        return resize_slowly(pointer, size_bytes, caller, block_out);
    if (!fits_slot(size_bytes, unit->slot_bytes))
        return move_slot(pointer, unit->slot_bytes, size_bytes, block_out);
    *block_out = pointer;
    return 0;
}

static bool size_is_plausible(size_t size_bytes, enum sized_rule rule, size_t usable_bytes)
{
    if (size_bytes > usable_bytes || rule == SIZED_AT_MOST)
        return size_bytes <= usable_bytes;
    size_bytes += size_bytes == 0;
    if (!class_exists(size_bytes) || usable_bytes > CLASS_BYTES_MAX)
        return !class_exists(size_bytes);
    uint32_t exact = class_exact(size_bytes);
    return block_usable_bytes(class_slot_bytes[exact]) == usable_bytes ||
           block_usable_bytes(class_slot_bytes[class_shared(exact)]) == usable_bytes;
}

/* Between guard pages a block has what was asked for, and no more: here as much counts as anywhere else. */
static size_t usable_in_slot(const void *pointer)
{
    size_t usable_bytes = lookup_usable_size(pointer);
    bool is_guarded = usable_bytes != 0 && span_is_guarded(unit_at(pointer)->span);
    return is_guarded && class_exists(usable_bytes) ? block_usable_bytes(class_slot_bytes[class_exact(usable_bytes)]) : usable_bytes;
}

COLD static void free_odd_size(void *pointer, size_t size_bytes, enum sized_rule rule, void *caller)
{
    size_t block_bytes = pointer == NULL ? 0 : usable_in_slot(pointer);
    if (block_bytes != 0 && UNLIKELY(!size_is_plausible(size_bytes, rule, block_bytes))) {
        misuse_sized_free(pointer, block_bytes, size_bytes, caller);
        return;
    }
    heap_free(pointer);
}

void heap_free_sized_slowly(void *pointer, size_t size_bytes, enum sized_rule rule, void *caller)
{
    if (UNLIKELY(!heap_contains(pointer) || !class_exists(size_bytes) || unit_at(pointer)->kind != UNIT_SPAN ||
                 unit_at(pointer)->class_index != class_of(size_bytes)))
        free_odd_size(pointer, size_bytes, rule, caller);
    else
        heap_free(pointer);
}
