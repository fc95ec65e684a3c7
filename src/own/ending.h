/*
 * own/ending: the end of most objects, inline: of a type that is nothing but its bytes, in a slot of the calling thread's, nobody's
 * but the caller's.
 */
#ifndef OWN_ENDING_H
#define OWN_ENDING_H

#include "base/compiler.h"
#include "heap/noted.h"
#include "own/self.h"
#include "own/types.h"

#include <stdbool.h>
#include <stdint.h>

/* Of an object that nobody has a reference to: but for the generation, which nobody keeps. */
static ALWAYS_INLINE void clear_note(struct note *note)
{
    atomic_store_explicit(&note->strong, 0, memory_order_relaxed);
    atomic_store_explicit(&note->others, 0, memory_order_relaxed);
    atomic_store_explicit(&note->holder, 0, memory_order_relaxed);
}

/* free_spot() where free() has to. */
NOINLINE void free_spot_slowly(void *slot, uint8_t *state, struct typed_entry *entry);

/* What was known of the object is forgotten, and its memory freed. Its note is clear but for its generation, which nobody keeps. */
static ALWAYS_INLINE void free_spot(const struct spot *spot, uint32_t *id, struct typed_entry *entry)
{
    size_t slot_bytes = spot->unit->slot_bytes; /* before somebody else may get the span */
    *id = 0;
    if (LIKELY(heap_put_noted(spot)))
        types_uncount(entry, slot_bytes);
    else
        free_spot_slowly(spot->slot, spot->state, entry);
}

/* The id of the type in the spot, where ids are to be found and nobody wants to know of ends; or NULL. */
static ALWAYS_INLINE uint32_t *spot_id(const struct spot *spot)
{
    uint32_t *ids = spot_column(spot, COLUMN_TYPE);
    bool is_quick = LIKELY(ids != NULL) && LIKELY(!atomic_load_explicit(&note_is_watched, memory_order_relaxed)) && LIKELY(ids[spot->index] != 0);
    return is_quick ? &ids[spot->index] : NULL;
}

/* Without the option check nothing ever is. */
static ALWAYS_INLINE bool is_unborrowed(const struct note *note)
{
    return LIKELY((atomic_load_explicit(&note->word, memory_order_relaxed) & NOTE_BORROWS) == 0);
}

/* Nothing is to be done when an object of the type ends. */
static ALWAYS_INLINE bool is_plain(const gca_type *type)
{
    return type->drop == NULL && type->pointer_count == 0;
}

#endif
