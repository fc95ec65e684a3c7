/*
 * own/drop: objects end.
 *
 * What an object holds ends after it, from a list instead of by recursion: a chain of a million takes no more stack than one
 * of two. A drop function of the program's that drops something itself finds it gone when gca_drop() returns, up to
 * NESTED_MAX of them inside each other; from there on things end when the function has returned.
 *
 * Uses os, base, heap. Locks: own_lock, inside edges.
 */
#include "heap/allocate.h"
#include "heap/noted.h"
#include "heap/span.h"
#include "own/ending.h"
#include "own/export.h"
#include "own/self.h"
#include "own/types.h"

#include "gcalloc/own.h"

#include <string.h>

enum { NESTED_MAX = 64 };

static const char *const section = "ownership misuse";

/* ---- ending ---- */

/*
 * Frees an object whose end has been decided. What the heap would ask is done here, so that free() finds a plain block; but for
 * what is large, and what may never be used again.
 */
static void free_ended(const struct block *block, struct note *note)
{
    void *object = (void *)block->start;
    if (LIKELY(block->span->slot_count > 1) && !note_has(note, HOLDER_EDGES)) {
        types_forget(block);
        if (UNLIKELY(atomic_load_explicit(&note_is_watched, memory_order_relaxed)))
            heap_note_freed(object);
        if (LIKELY(note_end(block))) {
            uint8_t *state = &block->span->states[block->index];
            slot_state_set(state, slot_state_get(state) & (uint8_t)~SLOT_NOTED);
        } else {
            note_set(note, HOLDER_DYING);
        }
    } else {
        note_set(note, HOLDER_DYING);
    }
    heap_free(object);
}

void free_spot_slowly(void *slot, uint8_t *state, struct typed_entry *entry)
{
    types_uncount(entry, unit_at(slot)->slot_bytes);
    slot_state_set(state, slot_state_get(state) & (uint8_t)~SLOT_NOTED);
    heap_free(slot);
}

/* One that has ended, without references: nobody kept its generation, and it has no owner. */
static ALWAYS_INLINE bool free_quickly(void *object)
{
    struct spot spot;
    uint32_t *id = LIKELY(spot_find_own(object, &spot)) ? spot_id(&spot) : NULL;
    if (UNLIKELY(id == NULL) || UNLIKELY(note_has(spot.note, HOLDER_EDGES | HOLDER_SUSPECT | HOLDER_NUMBERED)) ||
        UNLIKELY(atomic_load_explicit(&spot.note->strong, memory_order_relaxed) != 0))
        return false;
    clear_note(spot.note);
    free_spot(&spot, id, types_entry(*id));
    return true;
}

void own_free(void *object)
{
    struct block block;
    if (LIKELY(free_quickly(object)))
        return;
    if (own_block(object, &block))
        free_ended(&block, note_of(&block));
}

/* What has no function, pointers, owner, or others that look at it ends at once. */
static bool end_quickly(const struct block *block, struct note *note)
{
    const gca_type *type = types_of(block);
    if (note_has(note, HOLDER_EDGES | HOLDER_SUSPECT | HOLDER_NUMBERED) ||
        (type != NULL && (type->drop != NULL || type->pointer_count != 0)))
        return false;
    free_ended(block, note);
    return true;
}

NOINLINE static void give_up_slowly(void *object)
{
    struct block block;
    if (!own_block(object, &block))
        return;
    struct note *note = note_of(&block);
    if (note != NULL && slot_is_noted(block.state) && note_has(note, HOLDER_COUNTED) && !shared_release(object, note, NULL))
        return;
    own_end(object);
}

void own_give_up(void *object)
{
    struct spot spot;
    if (object == NULL)
        return;
    if (UNLIKELY(!spot_find_own(object, &spot)))
        give_up_slowly(object);
    else if (!note_has(spot.note, HOLDER_COUNTED) || shared_release(object, spot.note, NULL))
        own_end(object);
}

void own_give_up_pointers(const void *object, const gca_type *type)
{
    for (uint32_t i = type->pointer_count; i-- > 0;) {
        void *held;
        memcpy(&held, (const char *)object + type->pointers[i], sizeof held);
        own_give_up(held);
    }
}

static void call_drop(void *object, const gca_type *type)
{
    bool was_in_function = own_self.is_in_function;
    own_self.is_in_function = true;
    type->drop(object);
    own_self.is_in_function = was_in_function;
}

COLD static void report_freed(const void *object, const gca_type *type)
{
    own_report(&(struct own_report){.object = object, .section = section}, "the drop function of %s has freed %%o itself",
               type != NULL ? type->name : "no type");
}

/* What is left to do after the function of its type's, if any, has been called. */
NOINLINE static void end_rest(void *object, struct note *note, const gca_type *type)
{
    struct block block;
    if (UNLIKELY(!own_block(object, &block)))
        return report_freed(object, type);
    if (note_has(note, HOLDER_EDGES))
        edges_end(object, &own_self.ending);
    if (type != NULL)
        own_give_up_pointers(object, type);
    free_ended(&block, note);
}

NOINLINE static void end_one_slowly(void *object)
{
    struct block block;
    if (!own_block(object, &block))
        return;
    struct note *note = slot_is_noted(block.state) ? note_of(&block) : NULL;
    if (note == NULL) {
        heap_free(object);
        return;
    }
    if (end_quickly(&block, note))
        return;
    const gca_type *type = types_of(&block);
    if (note_has(note, HOLDER_SUSPECT))
        cycles_forget(object, note);
    note_set(note, HOLDER_DYING);
    if (type != NULL && type->drop != NULL)
        call_drop(object, type);
    end_rest(object, note, type);
}

/*
 * In a slot of the thread's own, with a note that says nothing but this and references: nothing of it is looked for twice. While its
 * function runs it may come to more, or even be freed; then the note is no longer what it was.
 */
static ALWAYS_INLINE void end_spot(const struct spot *spot, uint32_t *id, struct typed_entry *entry)
{
    const gca_type *type = entry->type;
    uint32_t before = *id;
    uint32_t holder = atomic_load_explicit(&spot->note->holder, memory_order_relaxed) | HOLDER_DYING;
    atomic_store_explicit(&spot->note->holder, holder, memory_order_relaxed); /* nobody else has it */
    if (type->drop != NULL) {
        call_drop(spot->slot, type);
        if (UNLIKELY(atomic_load_explicit(&spot->note->holder, memory_order_relaxed) != holder) ||
            UNLIKELY(!spot_is_noted(spot)) || UNLIKELY(spot_id(spot) != id) || UNLIKELY(*id != before))
            return end_rest(spot->slot, spot->note, type);
    }
    if (UNLIKELY(type->pointer_count != 0))
        own_give_up_pointers(spot->slot, type);
    clear_note(spot->note);
    free_spot(spot, id, entry);
}

static ALWAYS_INLINE void end_one(void *object)
{
    struct spot spot;
    uint32_t *id = LIKELY(spot_find_own(object, &spot)) ? spot_id(&spot) : NULL;
    if (UNLIKELY(id == NULL) || UNLIKELY(note_has(spot.note, HOLDER_EDGES | HOLDER_SUSPECT | HOLDER_NUMBERED)))
        return end_one_slowly(object);
    end_spot(&spot, id, types_entry(*id));
}

/* What has come to the list since it had `count`. */
static void end_listed(size_t count)
{
    while (own_self.ending.count > count)
        end_one(own_self.ending.items[--own_self.ending.count]);
}

/* From the program, and from its functions, what is dropped is gone on return; what these leave, and pointers, the loop ends. */
void own_end(void *object)
{
    if (UNLIKELY(!own_self.has_exit))
        own_need_exit();
    bool was_in_function = own_self.is_in_function;
    size_t count = own_self.ending.count;
    if (own_self.drops != 0 && (!was_in_function || own_self.drops >= NESTED_MAX) && LIKELY(pile_push(&own_self.ending, object)))
        return;
    own_self.is_in_function = false;
    own_self.drops++;
    end_one(object);
    end_listed(count);
    own_self.drops--;
    own_self.is_in_function = was_in_function;
}

/*
 * The same for one that gca_drop() has found, in a thread that ends nothing else. What was found comes in registers: a spot whose
 * address is taken would be in memory for those that have no function, too.
 */
NOINLINE static void end_first(void *object, struct unit *unit, uint8_t *state, struct note *note, uint32_t *id, struct typed_entry *entry)
{
    struct spot spot = {object, unit, state, (size_t)(state - unit->states), note};
    size_t count = own_self.ending.count;
    own_self.drops = 1;
    end_spot(&spot, id, entry);
    if (UNLIKELY(own_self.ending.count > count))
        end_listed(count);
    own_self.drops = 0;
}

void own_end_waiting(void)
{
    while (own_self.drops == 0 && own_self.ending.count != 0)
        own_end(own_self.ending.items[--own_self.ending.count]);
}

NOINLINE static void drop_slowly(void *object, void *caller)
{
    struct block block;
    if (object == NULL)
        return;
    if (UNLIKELY(!own_block(object, &block))) {
        own_report(&(struct own_report){.object = object, .section = section, .caller = caller},
                   "gca_drop(%%o): not an object, or one that has ended");
        return;
    }
    struct note *note = slot_is_noted(block.state) ? note_of(&block) : NULL;
    if (note == NULL) {
        heap_free(object);
        return;
    }
    if (UNLIKELY(note_has(note, HOLDER_DYING))) {
        own_report(&(struct own_report){.object = object, .section = section, .caller = caller},
                   "gca_drop(%%o): is being dropped already");
        return;
    }
    if (note_has(note, HOLDER_COUNTED)) {
        gca_release(object);
        return;
    }
    if (borrow_may_end(object, note, "dropped", caller) && !end_quickly(&block, note))
        own_end(object);
}

EXPORT void gca_drop(void *object)
{
    struct spot spot;
    uint32_t *id = LIKELY(spot_find_own(object, &spot)) ? spot_id(&spot) : NULL;
    struct typed_entry *entry = LIKELY(id != NULL) ? types_entry(*id) : NULL;
    if (UNLIKELY(id == NULL) || UNLIKELY(atomic_load_explicit(&spot.note->holder, memory_order_relaxed) != 0) || !is_unborrowed(spot.note))
        return drop_slowly(object, CALLER);
    if (!is_plain(entry->type))
        return own_self.drops == 0 && own_self.has_exit ? end_first(object, spot.unit, spot.state, spot.note, id, entry) : own_end(object);
    atomic_store_explicit(&spot.note->others, 0, memory_order_relaxed); /* says MERGED after gca_unwrap() */
    free_spot(&spot, id, entry);
}

EXPORT void gca_drop_at(void *variable)
{
    void *object;
    memcpy(&object, variable, sizeof object);
    gca_drop(object);
}
