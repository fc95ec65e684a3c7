/*
 * own/drop: objects begin and end.
 *
 * What an object holds ends after it, from a list instead of by recursion: a chain of a million takes no more stack than one
 * of two. A drop function of the program's that drops something itself finds it gone when gca_drop() returns, up to
 * NESTED_MAX of them inside each other; from there on things end when the function has returned.
 *
 * Uses os, base, heap. Locks: own_lock, inside edges.
 */
#include "base/bits.h"
#include "heap/allocate.h"
#include "heap/collector.h"
#include "heap/span.h"
#include "own/cycles.h"
#include "own/export.h"
#include "own/self.h"
#include "own/types.h"

#include "gcalloc/own.h"

#include <errno.h>
#include <string.h>

enum { NESTED_MAX = 64 };

static const char *const section = "ownership misuse";

/* ---- making ---- */

/* For a block just allocated: nobody else writes its state. */
static struct note *note_new(const struct block *block)
{
    struct note *note = note_of(block);
    if (LIKELY(note != NULL) && block->span->slot_count > 1) {
        uint8_t *state = &block->span->states[block->index];
        slot_state_set(state, slot_state_get(state) | SLOT_NOTED);
        return note;
    }
    own_start();
    return note_need(block);
}

static void *allocate(size_t size_bytes, size_t align_bytes)
{
    if (LIKELY(align_bytes <= BLOCK_ALIGNMENT))
        return heap_allocate_zeroed(size_bytes);
    void *block = size_bytes <= BLOCK_BYTES_MAX - align_bytes ? heap_allocate_aligned(size_bytes, align_bytes) : NULL;
    return block != NULL ? memset(block, 0, size_bytes) : NULL;
}

/* Where a slot keeps what concerns its block: to be had without a look at the span's extent. */
struct spot {
    struct unit *unit;
    size_t index;
    struct note *note;
    uint32_t *ids; /* of types; NULL when the span has none */
};

/* False for what is large or in no slot, and where no block of the span was ever noted. */
static ALWAYS_INLINE bool find_spot(const void *object, struct spot *spot)
{
    if (UNLIKELY(!heap_contains(object)))
        return false;
    struct unit *unit = unit_at(object);
    uintptr_t notes = __atomic_load_n(&unit->notes, __ATOMIC_ACQUIRE);
    if (UNLIKELY((notes & 1) == 0) || UNLIKELY(unit->kind != UNIT_SPAN))
        return false;
    struct slot_position position = unit_slot_position(unit, object);
    *spot = (struct spot){unit, position.index, (struct note *)(notes - 1) + position.index,
                          __atomic_load_n(&unit->span->columns[COLUMN_TYPE], __ATOMIC_ACQUIRE)};
    return LIKELY(position.is_start);
}

/* Most objects: a slot of a span that has typed objects already. */
static ALWAYS_INLINE bool note_quickly(void *object, const gca_type *type, struct note **note_out)
{
    struct spot spot;
    if (UNLIKELY(!find_spot(object, &spot)) || UNLIKELY(spot.ids == NULL) || UNLIKELY(type->id == 0) ||
        UNLIKELY(spot.ids[spot.index] != 0))
        return false;
    uint8_t *state = spot.unit->states + spot.index;
    slot_state_set(state, slot_state_get(state) | SLOT_NOTED);
    spot.ids[spot.index] = type->id;
    types_count(type->id, spot.unit->slot_bytes, 1);
    *note_out = spot.note;
    return true;
}

/* The object in the spot ends: all that was known of it is forgotten, and free() finds a plain block. */
static ALWAYS_INLINE void free_spot(void *object, const struct spot *spot)
{
    uint8_t *state = spot->unit->states + spot->index;
    types_count(spot->ids[spot->index], spot->unit->slot_bytes, -1);
    spot->ids[spot->index] = 0;
    atomic_store_explicit(&spot->note->holder, 0, memory_order_relaxed);
    atomic_store_explicit(&spot->note->others, 0, memory_order_relaxed);
    slot_state_set(state, slot_state_get(state) & (uint8_t)~SLOT_NOTED);
    heap_free(object);
}

/* An object that is nothing but its bytes, and nobody's but its owner's: `holder` is its note's, `owner` none or the reference. */
static ALWAYS_INLINE bool drop_quickly(void *object, uint32_t holder)
{
    struct spot spot;
    if (UNLIKELY(gca_checks != 0) || UNLIKELY(!find_spot(object, &spot)) || UNLIKELY(spot.ids == NULL))
        return false;
    uint8_t *state = spot.unit->states + spot.index;
    uint32_t id = spot.ids[spot.index];
    if (UNLIKELY(id == 0) || UNLIKELY((slot_state_get(state) & (SLOT_NOTED | 1)) != (SLOT_NOTED | 1)) ||
        UNLIKELY(atomic_load_explicit(&spot.note->holder, memory_order_relaxed) != holder))
        return false;
    const gca_type *type = types_by_id(id);
    if (UNLIKELY(type->drop != NULL) || UNLIKELY(type->pointer_count != 0))
        return false;
    free_spot(object, &spot);
    return true;
}

/* One of a type that has ended, without references: nobody kept its generation, and it has no owner. */
static ALWAYS_INLINE bool free_quickly(void *object)
{
    struct spot spot;
    if (UNLIKELY(gca_checks != 0) || UNLIKELY(!find_spot(object, &spot)) || UNLIKELY(spot.ids == NULL) ||
        UNLIKELY(spot.ids[spot.index] == 0))
        return false;
    uint8_t state = slot_state_get(spot.unit->states + spot.index);
    if (UNLIKELY((state & (SLOT_NOTED | 1)) != (SLOT_NOTED | 1)) ||
        UNLIKELY(note_has(spot.note, HOLDER_EDGES | HOLDER_SUSPECT | HOLDER_NUMBERED)) ||
        UNLIKELY(atomic_load_explicit(&spot.note->strong, memory_order_relaxed) != 0))
        return false;
    free_spot(object, &spot);
    return true;
}

bool own_end_quickly(void *object)
{
    return drop_quickly(object, HOLDER_COUNTED);
}

/* Objects that only hold each other may be all that stands in the way. */
COLD static void *allocate_again(size_t size_bytes, size_t align_bytes)
{
    void *object = cycles_run(0) != 0 ? allocate(size_bytes, align_bytes) : NULL;
    if (object == NULL)
        errno = ENOMEM;
    return object;
}

static ALWAYS_INLINE void *make_noted(gca_type *type, size_t size_bytes, size_t align_bytes, struct note **note_out)
{
    struct block block;
    void *object = allocate(size_bytes, align_bytes);
    if (UNLIKELY(object == NULL) && (object = allocate_again(size_bytes, align_bytes)) == NULL)
        return NULL;
    if (LIKELY(note_quickly(object, type, note_out)))
        return object;
    lookup_block(object, &block);
    *note_out = note_new(&block);
    if (UNLIKELY(*note_out == NULL || types_set(&block, type) != 0)) {
        heap_free(object);
        errno = ENOMEM;
        return NULL;
    }
    return object;
}

static void *make(gca_type *type, size_t size_bytes, size_t align_bytes)
{
    struct note *note;
    return make_noted(type, size_bytes, align_bytes, &note);
}

EXPORT void *gca_new_at(gca_site *site)
{
    return make(types_at(site), site->size_bytes, site->align_bytes);
}

EXPORT void *gca_new_of(gca_type *type)
{
    return make(type, type->size_bytes, 1);
}

EXPORT void *gca_new_alone_at(gca_site *site)
{
    size_t align_bytes = site->align_bytes > CACHE_LINE_BYTES ? site->align_bytes : CACHE_LINE_BYTES;
    return make(types_at(site), round_up(site->size_bytes, CACHE_LINE_BYTES), align_bytes);
}

EXPORT void *gca_alloc_lines(size_t size_bytes)
{
    void *block = size_bytes <= BLOCK_BYTES_MAX / 2
                      ? heap_allocate_aligned(round_up(size_bytes + (size_bytes == 0), CACHE_LINE_BYTES), CACHE_LINE_BYTES)
                      : NULL;
    if (block == NULL)
        errno = ENOMEM;
    return block;
}

EXPORT void *gca_rc_new_at(gca_site *site)
{
    if (UNLIKELY(merge_waits()))
        merge_own();
    struct note *note;
    void *object = make_noted(types_at(site), site->size_bytes, site->align_bytes, &note);
    if (UNLIKELY(object == NULL))
        return NULL;
    uint32_t thread = LIKELY(own_self.thread != 0) ? own_self.thread : merge_number();
    uint32_t cyclic = site->_type->pointer_count != 0 ? HOLDER_CYCLIC | HOLDER_WATCHED : 0;
    if (LIKELY(thread != 0))
        atomic_store_explicit(&note->strong, 1, memory_order_relaxed);
    else
        atomic_store_explicit(&note->others, OTHERS_ONE | OTHERS_MERGED, memory_order_relaxed);
    atomic_store_explicit(&note->holder, HOLDER_COUNTED | cyclic | thread, memory_order_release);
    return object;
}

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

void own_give_up(void *object)
{
    struct block block;
    if (object == NULL || !own_block(object, &block))
        return;
    struct note *note = note_of(&block);
    if (note != NULL && slot_is_noted(block.state) && note_has(note, HOLDER_COUNTED) && !shared_release(object, note, NULL))
        return;
    own_end(object);
}

/* What the object's pointers hold goes before what it owns: it is pushed last. */
static void give_up_pointers(const void *object, const gca_type *type)
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

static void end_one(void *object)
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
    if (note_has(note, HOLDER_EDGES))
        edges_end(object, &own_self.ending);
    if (type != NULL)
        give_up_pointers(object, type);
    free_ended(&block, note);
}

/* Runs until the list is as long as it was. */
static void end_all_above(size_t count)
{
    bool was_in_function = own_self.is_in_function;
    own_self.is_in_function = false;
    own_self.drops++;
    while (own_self.ending.count > count)
        end_one(own_self.ending.items[--own_self.ending.count]);
    own_self.drops--;
    own_self.is_in_function = was_in_function;
}

/* From the program, and from its functions, what is dropped is gone on return; what these leave, and pointers, the loop ends. */
void own_end(void *object)
{
    if (UNLIKELY(!own_self.has_exit))
        own_need_exit();
    size_t count = own_self.ending.count;
    if (UNLIKELY(!pile_push(&own_self.ending, object)))
        end_one(object); /* no memory for a list */
    else if (own_self.drops == 0 || (own_self.is_in_function && own_self.drops < NESTED_MAX))
        end_all_above(count);
}

void own_end_waiting(void)
{
    if (own_self.drops == 0)
        end_all_above(0);
}

EXPORT void gca_drop(void *object)
{
    struct block block;
    if (object == NULL || LIKELY(drop_quickly(object, 0)))
        return;
    if (UNLIKELY(!own_block(object, &block))) {
        own_report(&(struct own_report){.object = object, .section = section, .caller = CALLER},
                   "gca_drop(%%o): not an object, or one that has ended");
        return;
    }
    struct note *note = slot_is_noted(block.state) ? note_of(&block) : NULL;
    if (note == NULL) {
        heap_free(object);
        return;
    }
    if (UNLIKELY(note_has(note, HOLDER_DYING))) {
        own_report(&(struct own_report){.object = object, .section = section, .caller = CALLER},
                   "gca_drop(%%o): is being dropped already");
        return;
    }
    if (note_has(note, HOLDER_COUNTED)) {
        gca_release(object);
        return;
    }
    if (borrow_may_end(object, note, "dropped", CALLER) && !end_quickly(&block, note))
        own_end(object);
}

EXPORT void gca_drop_at(void *variable)
{
    void *object;
    memcpy(&object, variable, sizeof object);
    gca_drop(object);
}

/* ---- copies ---- */

/* A copy on its way: it has its type, and is in its place, once what its pointers hold is its own. */
struct copying {
    void *copy;
    const void *object;
    void **place; /* where the pointer to the copy goes */
};

static bool push_copy(struct pile *pile, const void *object, const struct block *block, void **place)
{
    size_t size_bytes = block_usable(block);
    void *copy = heap_allocate(size_bytes);
    *place = NULL;
    if (copy == NULL)
        return false;
    size_t count = pile->count;
    if (!pile_push(pile, copy) || !pile_push(pile, (void *)(uintptr_t)object) || !pile_push(pile, place)) {
        pile->count = count;
        heap_free(copy);
        return false;
    }
    memcpy(copy, object, size_bytes);
    heap_collector_copied(copy, size_bytes);
    *place = copy;
    heap_collector_stored(place, copy);
    return true;
}

static struct copying pop_copy(struct pile *pile)
{
    pile->count -= 3;
    void **items = pile->items + pile->count;
    return (struct copying){items[0], items[1], items[2]};
}

/* Each of the pointers gets a reference, or a copy that is on its way. After a failure the others hold nothing. */
static int copy_pointers(struct pile *pile, void *copy, const gca_type *type)
{
    int result = 0;
    for (uint32_t i = 0; i < type->pointer_count; i++) {
        struct block block;
        void **place = (void **)((char *)copy + type->pointers[i]);
        void *held = *place;
        if (result != 0)
            *place = NULL;
        else if (held != NULL && own_block(held, &block)) {
            const struct note *note = note_of(&block);
            bool is_counted = slot_is_noted(block.state) && note != NULL && note_has(note, HOLDER_COUNTED);
            if (is_counted)
                *place = gca_retain_of(held);
            else if (!push_copy(pile, held, &block, place))
                result = -ENOMEM;
        }
    }
    return result;
}

static int complete(struct pile *pile, const struct copying *copying)
{
    struct block block, copied;
    lookup_block(copying->object, &block);
    lookup_block(copying->copy, &copied);
    gca_type *type = types_of(&block);
    if (type == NULL)
        return 0;
    int result = copy_pointers(pile, copying->copy, type);
    if (result == 0 && type->clone != NULL)
        result = type->clone(copying->copy, copying->object);
    if (result == 0)
        result = note_new(&copied) != NULL ? types_set(&copied, type) : -ENOMEM;
    return result;
}

/* What is on its way goes; what is complete then ends as anything else does. */
static void take_back(struct pile *pile, const struct copying *failed)
{
    struct block block;
    lookup_block(failed->object, &block);
    while (pile->count != 0) {
        struct copying copying = pop_copy(pile);
        *copying.place = NULL;
        heap_free(copying.copy);
    }
    give_up_pointers(failed->copy, types_of(&block));
    *failed->place = NULL;
    heap_free(failed->copy);
}

EXPORT void *gca_clone_of(const void *object)
{
    struct block block;
    struct pile pile = {0};
    void *root = NULL;
    if (object == NULL || !own_block(object, &block)) {
        errno = EINVAL;
        return NULL;
    }
    int result = push_copy(&pile, object, &block, &root) ? 0 : -ENOMEM;
    while (result == 0 && pile.count != 0) {
        struct copying copying = pop_copy(&pile);
        result = complete(&pile, &copying);
        if (result != 0)
            take_back(&pile, &copying);
    }
    pile_free(&pile);
    if (result == 0)
        return root;
    if (root != NULL)
        own_end(root);
    errno = -result;
    return NULL;
}

EXPORT void *gca_cow_mut(gca_cow *cow)
{
    if (cow->is_owned)
        return cow->value;
    void *copy = gca_clone_of(cow->value);
    if (copy != NULL)
        *cow = gca_cow_own(copy);
    return copy;
}

EXPORT void gca_cow_drop(gca_cow *cow)
{
    if (cow->is_owned)
        gca_drop(cow->value);
    *cow = gca_cow_borrow(NULL);
}
