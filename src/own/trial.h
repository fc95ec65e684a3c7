/* own/trial: what a trial for cycles (own/cycles.c) keeps, and how it sees objects. */
#ifndef OWN_TRIAL_H
#define OWN_TRIAL_H

#include "base/compiler.h"
#include "heap/span.h"
#include "own/pile.h"
#include "own/self.h"
#include "own/suspects.h"
#include "own/types.h"
#include "own/visits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* In the top bits of note->strong, of objects in the trial. */
enum { COLOUR_SHIFT = 30, COUNT_MASK = (1 << COLOUR_SHIFT) - 1, GREY = 1, BLACK = 2, POINTED = 3 };

struct trial {
    struct visits visited;
    struct pile black; /* to be followed */
    struct pile again; /* held by something that goes without a word: an address on the stack, a borrow */
    struct suspects *set;
    uintptr_t stack_from; /* below are our own frames only, and the registers of the program's are above */
    uint64_t budget_ns;
    size_t freed;
    bool has_black;     /* some object was found held, */
    bool has_others;    /* holds what is not in the trial, */
    bool has_functions; /* has a drop function: what it holds may be something else then */
    uint32_t flags;     /* of the notes of all, HOLDER_..., when they were visited */
    uint32_t type_id;   /* the last one, 0 for none, */
    const struct gca_type *type;
    size_t pointed; /* objects that look_everywhere() has found held */
};

static inline uint32_t strong_of(const struct note *note)
{
    return atomic_load_explicit(&note->strong, memory_order_relaxed);
}

static inline uint32_t colour_of(const struct note *note)
{
    return strong_of(note) >> COLOUR_SHIFT;
}

static inline void set_colour(struct note *note, uint32_t colour)
{
    atomic_store_explicit(&note->strong, (strong_of(note) & COUNT_MASK) | colour << COLOUR_SHIFT, memory_order_relaxed);
}

static inline void add(struct note *note, uint32_t count)
{
    atomic_store_explicit(&note->strong, strong_of(note) + count, memory_order_relaxed);
}

static inline int32_t others_of(const struct note *note)
{
    return atomic_load_explicit(&note->others, memory_order_relaxed);
}

/* The way to an object's note leads past its type. */
struct seen {
    struct note *note;
    const struct unit *unit; /* NULL of a large block */
    size_t index;
};

static ALWAYS_INLINE bool see(const void *object, struct seen *seen)
{
    const struct unit *unit = heap_contains(object) ? unit_at(object) : NULL;
    uintptr_t notes = unit != NULL ? __atomic_load_n(&unit->notes, __ATOMIC_ACQUIRE) : 0;
    struct slot_position position = LIKELY((notes & 1) != 0) ? unit_slot_position(unit, object) : (struct slot_position){0};
    if (LIKELY(position.is_start))
        *seen = (struct seen){(struct note *)(notes - 1) + position.index, unit, position.index};
    else
        *seen = (struct seen){.note = own_note(object)};
    return seen->note != NULL;
}

/* Whether it is an object that a trial of this thread's may look at. */
static ALWAYS_INLINE bool see_candidate(const void *object, struct seen *seen)
{
    if (UNLIKELY(!see(object, seen)))
        return false;
    uint32_t holder = atomic_load_explicit(&seen->note->holder, memory_order_relaxed);
    uint32_t wanted = HOLDER_COUNTED | HOLDER_CYCLIC | own_self.thread;
    return (holder & (HOLDER_COUNTED | HOLDER_CYCLIC | HOLDER_DYING | HOLDER_THREAD)) == wanted &&
           (colour_of(seen->note) != 0 || others_of(seen->note) == 0);
}

/* Its note, or NULL. */
static ALWAYS_INLINE struct note *candidate(const void *object)
{
    struct seen seen;
    return see_candidate(object, &seen) ? seen.note : NULL;
}

/* In as few steps as can be. */
static inline const gca_type *type_of(const void *object)
{
    const struct unit *unit = unit_at(object);
    struct block block = {.span = unit->span, .index = unit_slot_position(unit, object).index};
    return types_of(&block);
}

/* The same for one that was seen; most are of the type of the one before. */
static ALWAYS_INLINE const gca_type *seen_type(struct trial *trial, const void *object, const struct seen *seen)
{
    const uint32_t *ids = seen->unit != NULL ? __atomic_load_n(&seen->unit->span->columns[COLUMN_TYPE], __ATOMIC_ACQUIRE) : NULL;
    if (UNLIKELY(ids == NULL))
        return type_of(object);
    if (UNLIKELY(ids[seen->index] != trial->type_id)) {
        trial->type_id = ids[seen->index];
        trial->type = types_entry(trial->type_id)->type;
    }
    return trial->type;
}

static inline void *held_by(const void *object, const gca_type *type, uint32_t i)
{
    void *held;
    memcpy(&held, (const char *)object + type->pointers[i], sizeof held);
    return held;
}

#endif
