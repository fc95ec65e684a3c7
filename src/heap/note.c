/*
 * heap/note: notes of blocks, their making and their end.
 *
 * Uses base. Locks: one of its own, where arrays of notes come and go.
 */
#include "heap/note.h"

#include "base/bits.h"
#include "heap/lookup.h"
#include "heap/metadata.h"

#include <stddef.h>

/* Of a span, or of a large block; in use, or in the list of its class. */
struct note_array {
    struct note_array *next;
    const struct span *span; /* whose it is, while in use */
    struct note notes[];
};

const struct heap_noter *_Atomic heap_noter;
void (*_Atomic heap_note_watcher)(void *block);
_Atomic bool note_is_watched; /* all that a fast path looks at */

struct lock note_array_lock;
IN_FEW_PROCESSES static struct note_array *idle[CLASS_COUNT + 1]; /* by class; large blocks last. Under the lock */

/* ---- arrays ---- */

static struct unit *first_unit(const struct span *span)
{
    return &heap_layout.units[span->first_unit];
}

static bool is_large(const struct span *span)
{
    return first_unit(span)->kind == UNIT_LARGE;
}

static struct note_array **idle_of(const struct span *span)
{
    return &idle[is_large(span) ? CLASS_COUNT : span->class_index];
}

/* A large block's other units keep what they know from before. */
static size_t units_of(const struct span *span)
{
    return is_large(span) ? 1 : span->unit_count;
}

/* One more than there are slots: an address behind the last one has a note as well, as it has a state. */
static size_t notes_of(const struct span *span)
{
    return span->slot_count + 1;
}

static void set_notes(const struct span *span, uintptr_t notes)
{
    for (size_t i = 0; i < units_of(span); i++)
        __atomic_store_n(&first_unit(span)[i].notes, notes, __ATOMIC_RELEASE);
}

static struct note *notes_now(const struct span *span)
{
    uintptr_t notes = __atomic_load_n(&first_unit(span)->notes, __ATOMIC_ACQUIRE);
    return (notes & 1) != 0 ? (struct note *)(notes - 1) : NULL;
}

/* The highest generation that any of its units has seen. */
static uint32_t first_generation(const struct span *span)
{
    uintptr_t highest = 0;
    for (size_t i = 0; i < units_of(span); i++)
        if (first_unit(span)[i].notes > highest)
            highest = first_unit(span)[i].notes;
    return (uint32_t)(highest >> 1);
}

static struct note_array *take_array(const struct span *span)
{
    struct note_array **list = idle_of(span);
    struct note_array *array = *list;
    if (array != NULL)
        *list = array->next;
    else
        array = metadata_take(sizeof *array + notes_of(span) * sizeof *array->notes);
    return array;
}

/* Somebody who is late may look at a former block's note in it: so word by word. */
static void clear(struct note *note, uint32_t generation)
{
    atomic_store_explicit(&note->strong, 0, memory_order_relaxed);
    atomic_store_explicit(&note->word, generation << NOTE_GENERATION_SHIFT, memory_order_release);
    atomic_store_explicit(&note->others, 0, memory_order_relaxed);
    atomic_store_explicit(&note->holder, 0, memory_order_relaxed);
}

COLD static struct note *make_notes(const struct span *span)
{
    note_lock();
    struct note *notes = notes_now(span);
    if (notes == NULL) {
        struct note_array *array = take_array(span);
        if (array != NULL) {
            notes = array->notes;
            array->span = span;
            uint32_t generation = first_generation(span);
            for (size_t i = 0; i < notes_of(span); i++)
                clear(&notes[i], generation);
            set_notes(span, (uintptr_t)notes + 1);
        }
    }
    note_unlock();
    return notes;
}

static void give_up(const struct span *span, struct note *notes)
{
    uint32_t highest = 0;
    for (size_t i = 0; i < span->slot_count; i++) {
        uint32_t generation = note_generation(atomic_load_explicit(&notes[i].word, memory_order_relaxed));
        highest = generation > highest ? generation : highest;
    }
    set_notes(span, (uintptr_t)highest << 1);
    struct note_array *array = (struct note_array *)((char *)notes - offsetof(struct note_array, notes));
    array->next = *idle_of(span);
    *idle_of(span) = array;
}

COLD void note_give_up_now(struct span *span)
{
    note_lock();
    give_up(span, notes_now(span));
    note_unlock();
}

/* ---- notes ---- */

struct note *note_of(const struct block *block)
{
    struct note *notes = notes_now(block->span);
    return notes != NULL ? &notes[block->index] : NULL;
}

static void set_noted(const struct block *block)
{
    if (is_large(block->span))
        atomic_fetch_or_explicit(&first_unit(block->span)->large_state, SLOT_NOTED, memory_order_relaxed);
    else
        __atomic_fetch_or(&block->span->states[block->index], (uint8_t)SLOT_NOTED, __ATOMIC_RELAXED);
}

COLD void note_watch(const struct block *block)
{
    atomic_store_explicit(&note_is_watched, true, memory_order_release);
    set_noted(block);
}

COLD void heap_note_freed(void *block)
{
    void (*watcher)(void *) = atomic_load_explicit(&heap_note_watcher, memory_order_acquire);
    if (watcher != NULL)
        watcher(block);
}

/* A block that is only watched has no note, unless others in its span have. */
COLD bool heap_note_freeing(const struct block *block, void *caller)
{
    const struct heap_noter *noter = atomic_load_explicit(&heap_noter, memory_order_acquire);
    if (noter != NULL && note_of(block) != NULL && !noter->freeing(block, caller))
        return false;
    heap_note_freed((void *)block->start);
    return true;
}

struct note *note_need(const struct block *block)
{
    struct note *notes = notes_now(block->span);
    if (UNLIKELY(notes == NULL) && (notes = make_notes(block->span)) == NULL)
        return NULL;
    if (!slot_is_noted(block->state))
        set_noted(block);
    return &notes[block->index];
}

static bool end(struct note *note)
{
    uint32_t generation = note_generation(atomic_load_explicit(&note->word, memory_order_relaxed));
    bool is_numbered = (atomic_load_explicit(&note->holder, memory_order_relaxed) & HOLDER_NUMBERED) != 0;
    clear(note, generation + (is_numbered && generation < NOTE_GENERATION_MAX));
    return generation + is_numbered < NOTE_GENERATION_MAX;
}

bool note_end(const struct block *block)
{
    struct note *note = note_of(block);
    return note == NULL || end(note);
}

COLD uint64_t note_reclaim_now(struct span *span, size_t word, uint64_t garbage)
{
    struct note *notes = notes_now(span);
    uint64_t retired = 0;
    for (uint64_t bits = garbage; bits != 0; bits &= bits - 1) {
        struct block block;
        size_t index = word * WORD_BITS + bit_lowest(bits);
        if (!slot_is_noted(slot_state_get(&span->states[index])))
            continue;
        if (lookup_block((const void *)span_slot(span, index), &block))
            heap_note_reclaimed(&block);
        if (!end(&notes[index])) {
            slot_state_set(&span->states[index], SLOT_RETIRED);
            retired |= bits & -bits;
        }
    }
    return retired;
}

/* Good while some block of it can't go. */
void *note_slot(const struct note *notes, const struct note *note)
{
    const struct note_array *array = (const struct note_array *)((const char *)notes - offsetof(struct note_array, notes));
    return (void *)span_slot(array->span, (size_t)(note - notes));
}
