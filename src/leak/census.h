/*
 * leak/census: memory of a classification: a byte and a number for each slot of the heap. Only src/leak/ includes this.
 *
 * Slots and large blocks are numbered by address, so that both lie as densely as may be; the table of units leads to them. What is
 * no block has the byte LEAK_NONE.
 */
#ifndef LEAK_CENSUS_H
#define LEAK_CENSUS_H

#include "base/compiler.h"
#include "gc/mark.h"
#include "gc/roots.h"
#include "gc/white.h"
#include "heap/span.h"
#include "leak/classify.h"
#include "os/match.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CENSUS_ADDRESS_MASK (((uintptr_t)1 << 48) - 1) /* what lies above may be a tag */

/* HELD: another lost block leads to it (leak/edges.h). GREY: it has its class, and is still to be read (leak/flood.h). BLOCK: it is none that is free. */
enum {
    MARK_LEAF = 128,
    MARK_HELD = 64,
    MARK_GREY = 32,
    MARK_BLOCK = 16,
    MARK_CLASS = 15,
    MARK_KEPT = MARK_LEAF | MARK_HELD | MARK_BLOCK,
    MARK_LANES = 16, /* looked at at once */
};

/* A block that nothing is known to hold, and one that only an inner address does, are alike but for this. */
enum { MARK_UNHELD = MARK_CLASS & ~(LEAK_UNSEEN ^ LEAK_INNER) };
_Static_assert(LEAK_UNSEEN == 2 && LEAK_INNER == 3 && LEAK_FINISHED == 1, "open classes");

struct census {
    struct mark_view view; /* its units lead to marks: see gc/white.h; a large block's have its mark's place alone */
    struct os_match match;
    uintptr_t heap_start;
    size_t heap_bytes;
    uint8_t *marks;
    uint32_t *numbers;
    size_t places;   /* in marks, and in numbers */
    size_t blocks;   /* that there are */
    bool distances;  /* words may say how far from their block's start another block is: see roots_hold_distances() */
    bool slots_fill; /* a block may end where the next one starts: see gc/mark.h */
    const struct roots_part *unreadable;
    size_t unreadable_count;
    const struct classify_source *source;
};

extern struct census census;

/* A slot or a large block. */
struct cell {
    size_t place; /* in marks, and in numbers */
    size_t index; /* of the slot in its span */
    uintptr_t start;
    size_t size_bytes;
    struct span *span;
};

/* All blocks are LEAK_UNSEEN. Returns 0 or -ENOMEM. */
int census_start(const struct classify_source *source);
void census_end(void);

/* What is recorded of a block; all zero if nothing. */
static inline struct block_record census_record(const struct cell *cell)
{
    const struct block_record *records = __atomic_load_n(&cell->span->columns[COLUMN_STACK], __ATOMIC_ACQUIRE);
    return records != NULL ? records[cell->index] : (struct block_record){0};
}

static inline uint32_t census_birth(const struct cell *cell)
{
    if (UNLIKELY(span_is_large(cell->span)))
        return slot_birth(atomic_load_explicit(&heap_layout.units[cell->span->first_unit].large_state, memory_order_relaxed));
    return slot_birth(slot_state_get(&cell->span->states[cell->index]));
}

/* What the program asked for, by the block's record. Returns false, and the whole slot, when that is not known. */
static inline bool census_size(const struct cell *cell, const struct block_record *record, size_t *size_bytes_out)
{
    bool is_known = record_is_set(record) && record->unused_bytes != UINT16_MAX && record->unused_bytes < cell->size_bytes;
    *size_bytes_out = is_known ? cell->size_bytes - record->unused_bytes : cell->size_bytes;
    return is_known;
}

static inline enum leak_class census_class(const struct cell *cell)
{
    return (enum leak_class)(census.marks[cell->place] & MARK_CLASS);
}

/* Nothing is known yet that holds the block, but for an inner address. */
static ALWAYS_INLINE bool mark_is_open(uint8_t mark)
{
    return (uint8_t)((mark & MARK_CLASS) - 1) < LEAK_INNER;
}

static inline void census_set_class(const struct cell *cell, enum leak_class class)
{
    census.marks[cell->place] = (uint8_t)((census.marks[cell->place] & MARK_KEPT) | class);
}

static inline bool census_is_leaf(const struct cell *cell)
{
    return (census.marks[cell->place] & MARK_LEAF) != 0;
}

/* The place of the first slot of the unit's span, or of the large block. */
static inline size_t census_place(size_t unit)
{
    return (size_t)((uint8_t *)white_unit_address(census.view.units[unit]) - census.marks);
}

/* The slot or large block that an address in the heap lies in, block or not. */
static inline bool census_find(uintptr_t address, struct cell *cell_out)
{
    size_t unit = (address - census.heap_start) >> UNIT_SHIFT;
    if (census.view.units[unit] == 0)
        return false;
    struct span *span = heap_layout.units[unit].kind == UNIT_SPAN ? heap_layout.units[unit].span : span_at((const void *)address);
    if (span == NULL)
        return false;
    size_t index = span_is_large(span) ? 0 : unit_slot_position(&heap_layout.units[unit], (const void *)address).index;
    *cell_out = (struct cell){
        .place = census_place(unit) + index,
        .index = index,
        .start = span->start + index * span->slot_bytes,
        .size_bytes = span->slot_bytes,
        .span = span,
    };
    return true;
}

/*
 * The next word that may be an address of the heap, from offset *next on, at multiples of four: *word_out, without its
 * tag, and *next is behind it. False at the end.
 */
bool census_next_word(uintptr_t start, size_t size_bytes, size_t *next, uintptr_t *word_out);

/* Calls meet for each such word of the block, what can't be read left out. */
void census_scan(const struct cell *cell, void (*meet)(uintptr_t word, void *context), void *context);

/* Finds the heads of what is still LEAK_UNSEEN, `count` blocks. Returns 0 or -ENOMEM. */
int components_find(size_t count);

#endif
