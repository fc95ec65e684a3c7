/*
 * heap/note: what is known of a block beyond that it is allocated: references, borrows, which of the blocks that had its
 * place it is. For ownership (src/own); the heap itself only sees to it that a note ends with its block.
 *
 * Notes lie in arrays by slot, beside the span, made with the span's first note. The state byte of a noted block has
 * SLOT_NOTED, so that free() and realloc() come to their slow paths, and only for such blocks.
 *
 * Generations tell the blocks that had one address after each other apart, however spans come and go: a span's units keep
 * the highest there was, and the next span's notes begin with it. A slot that has had them all is retired. The memory of
 * notes is used for notes only, for ever: who holds the address of a block that is gone may look at its note at any time,
 * and sees another generation, or another span's notes and unit->notes changed.
 */
#ifndef HEAP_NOTE_H
#define HEAP_NOTE_H

#include "base/compiler.h"
#include "base/lock.h"
#include "heap/span.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block;

/* strong and word are one word of 64 bits in the sense of the design: generation 20 | mutable 1 | shared 11 | strong 32. */
struct note {
    _Atomic uint32_t strong; /* references counted by the thread that holds it, which alone writes it */
    _Atomic uint32_t word;   /* generation 20 | mutable borrow 1 | shared borrows 11 */
    _Atomic int32_t others;  /* references counted by all other threads, times OTHERS_ONE, and flags */
    _Atomic uint32_t holder; /* flags, and the number of the thread that holds it: 0 is nobody, all count in others */
};

enum {
    NOTE_SHARED_MAX = 0x7ff,
    NOTE_MUTABLE = 0x800,
    NOTE_BORROWS = 0xfff,
    NOTE_GENERATION_SHIFT = 12,
    NOTE_GENERATION_MAX = 0xfffff,

    OTHERS_MERGED = 1, /* strong counts no more, for it is in others */
    OTHERS_QUEUED = 2, /* waits for its thread to merge */
    OTHERS_CLAIMED = 4, /* is about to be found garbage, or not: who upgrades waits */
    OTHERS_ONE = 16,

    HOLDER_THREAD = 0x3fffff,
    HOLDER_WATCHED = 1 << 22,  /* may be part of a cycle, and no suspect yet: releasing one is not quick */
    HOLDER_BOUND = 1 << 23,    /* for its thread's use only: nothing is quick */
    HOLDER_NUMBERED = 1 << 24, /* somebody keeps the generation: the next block here gets another */
    HOLDER_COUNTED = 1 << 25,  /* has references */
    HOLDER_CYCLIC = 1 << 26,   /* and may be part of a cycle of them */
    HOLDER_SUSPECT = 1 << 27,  /* is in a list of those that may be garbage */
    HOLDER_EDGES = 1 << 28,    /* owns something, or is owned */
    HOLDER_DYING = 1 << 29,    /* is being dropped */
};

static inline uint32_t note_generation(uint32_t word)
{
    return word >> NOTE_GENERATION_SHIFT;
}

/*
 * The note that a slot that starts here has, whether it is in use or not; NULL when its span has none, for large blocks,
 * and for all other values: then note_of() knows more.
 */
static ALWAYS_INLINE struct note *note_quick(const void *address)
{
    if (UNLIKELY(!heap_contains(address)))
        return NULL;
    struct unit *unit = unit_at(address);
    uintptr_t notes = __atomic_load_n(&unit->notes, __ATOMIC_ACQUIRE);
    if (UNLIKELY((notes & 1) == 0))
        return NULL;
    struct slot_position position = unit_slot_position(unit, address);
    return LIKELY(position.is_start) ? (struct note *)(notes - 1) + position.index : NULL;
}

/* The note of the block that an address lies in, which is the start of an object's or near it; NULL as above. */
static ALWAYS_INLINE struct note *note_around(const void *address)
{
    if (UNLIKELY(!heap_contains(address)))
        return NULL;
    struct unit *unit = unit_at(address);
    uintptr_t notes = __atomic_load_n(&unit->notes, __ATOMIC_ACQUIRE);
    if (UNLIKELY((notes & 1) == 0))
        return NULL;
    return (struct note *)(notes - 1) + unit_slot_position(unit, address).index;
}

/* The note of the slot or large block, or NULL. */
struct note *note_of(const struct block *block);

/* The same, made if need be; from now on the heap notices what becomes of the block. NULL when memory is short. */
struct note *note_need(const struct block *block);

/* The slot that one of these notes, an array from unit->notes, is about; the slot's block stays meanwhile. */
void *note_slot(const struct note *notes, const struct note *note);

/* The block goes, and its note with it. False when the slot must not be used again. */
bool note_end(const struct block *block);

/*
 * The span, or large block, goes or moves; no block in it is noted. As long as its units are its own: they say what notes there
 * are. Inline, since every program comes here.
 */
void note_give_up_now(struct span *span);

static inline void note_give_up(struct span *span)
{
    if (UNLIKELY((heap_layout.units[span->first_unit].notes & 1) != 0))
        note_give_up_now(span);
}

/* A collector frees these of 64 slots, from slot 64 * word on. Returns those that must not be used again. */
uint64_t note_reclaim_now(struct span *span, size_t word, uint64_t garbage);

static inline bool note_has_span(const struct span *span)
{
    return (heap_layout.units[span->first_unit].notes & 1) != 0;
}

/* Who wants to know what becomes of noted blocks. No lock of the heap is held, but in `reclaimed`. */
struct heap_noter {
    /* May the program free it, or resize it, which may move it? If not, that was reported. */
    bool (*freeing)(const struct block *block, void *caller);
    bool (*resizing)(const struct block *block, void *caller);
    /* What is known of the one is now true of the other, and it will be freed. False when memory is short. */
    bool (*moved)(const struct block *from, const struct block *to);
    /* A collector has found that nothing leads to it. Other threads run. */
    void (*reclaimed)(const struct block *block);
};

extern const struct heap_noter *_Atomic heap_noter;

/*
 * NULL, or who is told when the program has freed a block with SLOT_NOTED, which is still allocated and as the program left
 * it. No lock is held. For the collector, which keeps a table of its own.
 */
extern void (*_Atomic heap_note_watcher)(void *block);

/* Whether there ever was a watcher, which wants to know of the end of each noted block: then who ends one must tell it. */
extern _Atomic bool note_is_watched __attribute__((visibility("hidden")));

/* Tells the watcher, for who frees a noted block otherwise than by free(). */
void heap_note_freed(void *block);

/* Sets SLOT_NOTED without a note, for the watcher. */
void note_watch(const struct block *block);

bool heap_note_freeing(const struct block *block, void *caller);

static inline bool heap_note_resizing(const struct block *block, void *caller)
{
    const struct heap_noter *noter = atomic_load_explicit(&heap_noter, memory_order_acquire);
    return noter == NULL || note_of(block) == NULL || noter->resizing(block, caller);
}

static inline bool heap_note_moved(const struct block *from, const struct block *to)
{
    const struct heap_noter *noter = atomic_load_explicit(&heap_noter, memory_order_acquire);
    return noter == NULL || note_of(from) == NULL || noter->moved(from, to);
}

static inline void heap_note_reclaimed(const struct block *block)
{
    const struct heap_noter *noter = atomic_load_explicit(&heap_noter, memory_order_acquire);
    if (noter != NULL)
        noter->reclaimed(block);
}

/* Guards the arrays. Around a fork, inside the run lock and outside that of metadata. */
extern struct lock note_array_lock;

static inline void note_lock(void)
{
    lock_take(&note_array_lock);
}

static inline void note_unlock(void)
{
    lock_release(&note_array_lock);
}

static inline void note_lock_reset(void)
{
    lock_reset(&note_array_lock);
}

#endif
