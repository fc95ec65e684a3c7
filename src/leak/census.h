/*
 * leak/census: memory of a classification: a byte and a number for each slot of the heap. Only src/leak/ includes this.
 *
 * Both lie in areas that mirror the metadata: those of a slot are as far from each other slot's as their state bytes are,
 * and those of a large block as far as its span's record. What is no block has the byte LEAK_NONE.
 */
#ifndef LEAK_CENSUS_H
#define LEAK_CENSUS_H

#include "base/compiler.h"
#include "gc/roots.h"
#include "heap/span.h"
#include "leak/classify.h"
#include "os/match.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CENSUS_ADDRESS_MASK (((uintptr_t)1 << 48) - 1) /* what lies above may be a tag */

enum { MARK_LEAF = 128, MARK_HELD = 64, MARK_CLASS = 63 };

struct census {
    struct os_match match;
    uintptr_t heap_start;
    size_t heap_bytes;
    uintptr_t metadata_start;
    uint8_t *marks;
    uint32_t *numbers;
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
    size_t place; /* from marks, and from numbers */
    uintptr_t start;
    size_t size_bytes;
    struct span *span;
};

/* All blocks are LEAK_UNSEEN. Returns 0 or -ENOMEM. */
int census_start(const struct classify_source *source);
void census_end(void);

/* Calls visit for each block, by address. */
void census_each(void (*visit)(const struct cell *cell, void *context), void *context);

/* What is recorded of a block; all zero if nothing. */
struct block_record census_record(const struct cell *cell);

/* Of what the program has told us of the block: heap/typed.h. 0 if nothing. */
uint32_t census_type(const struct cell *cell);

uint32_t census_birth(const struct cell *cell);

/* What the program asked for, by the block's record. Returns false, and the whole slot, when that is not known. */
bool census_size(const struct cell *cell, const struct block_record *record, size_t *size_bytes_out);

static inline enum leak_class census_class(const struct cell *cell)
{
    return (enum leak_class)(census.marks[cell->place] & MARK_CLASS);
}

static inline void census_set_class(const struct cell *cell, enum leak_class class)
{
    census.marks[cell->place] = (uint8_t)((census.marks[cell->place] & (MARK_LEAF | MARK_HELD)) | class);
}

static inline bool census_is_leaf(const struct cell *cell)
{
    return (census.marks[cell->place] & MARK_LEAF) != 0;
}

/* Whether components_find() has met another lost block's word for it. */
static inline bool census_is_held(const struct cell *cell)
{
    return (census.marks[cell->place] & MARK_HELD) != 0;
}

static inline void census_set_held(const struct cell *cell)
{
    census.marks[cell->place] |= MARK_HELD;
}

/* The slot or large block that an address in the heap lies in, block or not. */
static inline bool census_find(uintptr_t address, struct cell *cell_out)
{
    const struct unit *unit = &heap_layout.units[(address - census.heap_start) >> UNIT_SHIFT];
    if (LIKELY(unit->kind == UNIT_SPAN)) {
        size_t index = unit_slot_position(unit, (const void *)address).index;
        cell_out->place = (uintptr_t)(unit->states + index) - census.metadata_start;
        cell_out->start = unit->start + index * unit->slot_bytes;
        cell_out->size_bytes = unit->slot_bytes;
        cell_out->span = unit->span;
        return true;
    }
    struct span *span = span_at((const void *)address);
    if (span == NULL)
        return false;
    cell_out->place = (uintptr_t)span - census.metadata_start;
    cell_out->start = span->start;
    cell_out->size_bytes = span->slot_bytes;
    cell_out->span = span;
    return true;
}

/* The block with this start, which was found before. */
static inline struct cell census_at(uintptr_t start)
{
    struct cell cell = {0};
    census_find(start, &cell);
    return cell;
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
