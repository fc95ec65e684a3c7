/*
 * heap/span: a run of units cut into equal slots, or one large block.
 *
 * Invariant: a slot's bit in `free` is set exactly when the span offers it; then its state is SLOT_FRESH or SLOT_FREE.
 * A slot whose bit is clear is allocated (state bit 0), or waits in its owner's buffer, in some thread's outbox or in an
 * inbox (state SLOT_FRESH or SLOT_FREE).
 *
 * `free`, free_count and the list links belong to the owning heap and are touched under its lock; states are written by
 * whoever allocates or frees the slot, without a lock.
 */
#ifndef HEAP_SPAN_H
#define HEAP_SPAN_H

#include "base/bits.h"
#include "heap/unit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct entry;

/*
 * Arrays by slot that only some modes need (stack ids, types): made when a span's first entry is set. Notes of ownership are
 * another, but their memory is theirs for ever: see heap/note.h.
 */
enum span_column { COLUMN_STACK, COLUMN_FREED, COLUMN_TYPE, COLUMN_COUNT };

extern const uint8_t span_column_bytes[COLUMN_COUNT];

/* What taking slots and giving them back needs most is at the end, beside the first bits. */
struct span {
    struct span *next; /* in the ring of its class's spans that have free slots */
    struct span *previous;
    struct thread_heap *owner; /* NULL for a large block */
    size_t first_unit;
    size_t unit_count;
    void *columns[COLUMN_COUNT]; /* NULL until needed; entries of span_column_bytes[] */
    uint32_t guarded_bytes; /* what was asked for of a block between guard pages (heap/guard.h); 0 for all others */
    bool is_emptied; /* of a large block that is held: it has no pages */
    bool is_trapped; /* and can't be accessed */
    uintptr_t start;
    size_t slot_bytes;
    uint8_t *states;
    uint64_t *free;
    uint32_t slot_count;
    uint32_t free_count;      /* bits set in `free` */
    uint32_t first_free_word; /* no bit is set in the words below */
    uint8_t class_index;
    bool listed;
    uint16_t guard_count; /* slots that nobody ever gets, with the option guard_slots: retired, and never in `free` */
};

/*
 * The records of a span lie in one piece of metadata: the span, then `free`, then the states, and one more byte of 0:
 * the state that free() finds for a pointer behind the last slot.
 */
size_t span_record_bytes(uint32_t slot_count);

/* A new span of the class for the heap, not listed, all slots free but for guards. NULL when memory is short. */
struct span *span_create(struct thread_heap *owner, uint32_t class_index);

/* Gives an empty span back to the run map. It is in no list. */
void span_destroy(struct span *span);

/* Gives the span to another heap. Its present owner's lock is held, or that heap has no thread. */
void span_set_owner(struct span *span, struct thread_heap *owner);

/*
 * Takes `count` free slots, lowest first; the span has as many. They are written from entries[count - 1] downwards, so
 * that the lowest is the first to be handed out.
 */
void span_claim(struct span *span, struct entry *entries, uint32_t count);

/* The span's array of the column, by slot, all zero at first; made if need be, and NULL when memory is short. Thread-safe. */
void *span_need_column(struct span *span, enum span_column column);

/* Gives up the columns of a span that goes. */
void span_put_columns(struct span *span);

/* Recomputes `free` and free_count from the states: after a fork, for spans whose thread is gone. */
void span_rebuild(struct span *span);

/* The span that an address inside the heap lies in, large blocks included; NULL in free units. */
struct span *span_at(const void *address);

/* The next span at or after a unit index, for walks under the run lock; NULL at the end. */
struct span *span_from(size_t unit_index);

static inline bool span_is_guarded(const struct span *span)
{
    return span->guarded_bytes != 0;
}

/* Nobody has any of its slots. */
static inline bool span_is_empty(const struct span *span)
{
    return span->free_count == span->slot_count - span->guard_count;
}

/* A slot of this state was never handed out; or its generations are used up, which takes a million blocks. */
static inline bool span_is_guard_slot(const struct span *span, uint8_t state)
{
    return state == SLOT_RETIRED && span->guard_count != 0;
}

static inline uintptr_t span_slot(const struct span *span, size_t index)
{
    return span->start + index * span->slot_bytes;
}

/* One word of `free`, `count` bits of which were not set before. */
static inline void span_set_word(struct span *span, size_t word, uint64_t bits, uint32_t count)
{
    span->free[word] = bits;
    span->free_count += count;
    if (word < span->first_free_word)
        span->first_free_word = (uint32_t)word;
}

/* Sets `count` bits of one word of `free`, none of which is set. */
static inline void span_offer_word(struct span *span, size_t word, uint64_t bits, uint32_t count)
{
    span_set_word(span, word, span->free[word] | bits, count);
}

/* Sets the slot's bit. Returns false if it was set: freed twice. */
static inline bool span_offer(struct span *span, size_t index)
{
    if (UNLIKELY(bitmap_get(span->free, index)))
        return false;
    span_offer_word(span, index / WORD_BITS, (uint64_t)1 << (index % WORD_BITS), 1);
    return true;
}

#endif
