/*
 * heap/noted: blocks that have a note from their beginning to their end, allocated and freed by who keeps the notes. What
 * malloc and free do, and SLOT_NOTED, in one step each.
 *
 * These are the fast paths only; who is refused begins anew with heap/allocate.h and heap/note.h.
 */
#ifndef HEAP_NOTED_H
#define HEAP_NOTED_H

#include "base/compiler.h"
#include "heap/allocate.h"
#include "heap/note.h"
#include "heap/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A slot of a span that has notes, and where it keeps what concerns its block. */
struct spot {
    void *slot;
    struct unit *unit;
    uint8_t *state;
    size_t index;
    struct note *note;
};

/* The slot holds a noted block that is no leaf. */
static ALWAYS_INLINE bool spot_is_noted(const struct spot *spot)
{
    return (slot_state_get(spot->state) & (SLOT_NOTED | KIND_MASK)) == (SLOT_NOTED | SLOT_ALLOCATED);
}

/*
 * The spot of the block that starts here, if it is noted and no leaf, and in a span of the calling thread's. False for all other
 * addresses, and while each free() is to take a slow path.
 */
static ALWAYS_INLINE bool spot_find_own(const void *address, struct spot *spot)
{
    if (UNLIKELY(!heap_frees_quickly(address)))
        return false;
    struct unit *unit = unit_at(address);
    uintptr_t notes = __atomic_load_n(&unit->notes, __ATOMIC_ACQUIRE);
    if (UNLIKELY(atomic_load_explicit(&unit->owner, memory_order_relaxed) != heap_self) || UNLIKELY((notes & 1) == 0))
        return false;
    struct slot_position position = unit_slot_position(unit, address);
    *spot = (struct spot){(void *)(uintptr_t)address, unit, unit->states + position.index, position.index,
                          (struct note *)(notes - 1) + position.index};
    return LIKELY(position.is_start) && LIKELY(spot_is_noted(spot));
}

static ALWAYS_INLINE void *spot_column(const struct spot *spot, enum span_column column)
{
    return __atomic_load_n(&spot->unit->span->columns[column], __ATOMIC_ACQUIRE);
}

/* The slot that the next block of the size would get, and the buffer that it is in; NULL unless its span has notes and nothing is in the way. */
static ALWAYS_INLINE struct buffer *heap_next_noted(size_t size_bytes, struct spot *spot)
{
    if (UNLIKELY(!class_is_quick(size_bytes)))
        return NULL;
    struct buffer *buffer = buffer_ready(class_of(size_bytes));
    if (UNLIKELY(buffer == NULL))
        return NULL;
    struct entry entry = buffer->top[-1];
    struct unit *unit = unit_at(entry.slot);
    uintptr_t notes = __atomic_load_n(&unit->notes, __ATOMIC_ACQUIRE);
    size_t index = (size_t)(entry.state - unit->states);
    *spot = (struct spot){entry.slot, unit, entry.state, index, (struct note *)(notes - 1) + index};
    return LIKELY((notes & 1) != 0) ? buffer : NULL;
}

/*
 * Whole 16 bytes, of which every slot consists. For small ones, and as a loop that no compiler makes a memset() of: that takes
 * longer to begin than this to end.
 */
static ALWAYS_INLINE void clear_slot(void *slot, size_t size_bytes)
{
    typedef uint64_t pair __attribute__((vector_size(16), may_alias));
    for (size_t i = 0; i < size_bytes; i += sizeof(pair)) {
        *(pair *)((char *)slot + i) = (pair){0, 0};
        HOLD(slot);
    }
}

enum { NOTED_SMALL_BYTES = 128 };

/* Allocates what heap_next_noted() has just found: a noted block that reads as zero. */
static ALWAYS_INLINE void heap_take_noted(struct buffer *buffer, const struct spot *spot, size_t size_bytes)
{
    uint8_t before = slot_state_get(spot->state);
    buffer->top--;
    HOLD(spot->slot); /* before it counts as allocated */
    slot_state_set(spot->state, buffer->allocated_state | SLOT_NOTED);
    if (UNLIKELY(before == SLOT_FRESH))
        return;
    if (size_bytes <= NOTED_SMALL_BYTES)
        clear_slot(spot->slot, size_bytes);
    else
        __builtin_memset(spot->slot, 0, size_bytes);
}

/* Frees what spot_find_own() has found, whose note is clear again. False when its buffer is full, and free() has to. */
static ALWAYS_INLINE bool heap_put_noted(const struct spot *spot)
{
    struct buffer *buffer = (struct buffer *)((char *)heap_self + spot->unit->buffer_offset);
    if (UNLIKELY(buffer->top == buffer->limit))
        return false;
    buffer_push(buffer, spot->slot, spot->state);
    slot_state_set(spot->state, SLOT_FREE);
    HOLD(spot->slot); /* while it counted as allocated */
    return true;
}

#endif
