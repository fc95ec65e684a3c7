/*
 * gc/white: what the collector thinks of each slot, a byte each, made for one cycle.
 *
 * The bytes lie in an area that mirrors the metadata: the white byte of a slot is as far from its state byte as any
 * other's, and that of a large block as far from its span's record. So the marker needs no pointer of its own to them,
 * and what is not a candidate is 0 and needs nothing at all.
 */
#ifndef GC_WHITE_H
#define GC_WHITE_H

#include "heap/span.h"

#include <stddef.h>
#include <stdint.h>

enum white {
    BLACK = 0,      /* marked, or no candidate in this cycle */
    WHITE = 1,      /* a candidate that nothing is known to point to */
    WHITE_LEAF = 2, /* likewise, and holds no pointers */
    WHITE_FREE = 4, /* no block now; but the one before it may end here */
    GREY = 8,       /* a large block that is marked, the rest of which is still to be scanned */
    WHITE_AGED = 128, /* in a rule: the block's birth is about to be used again */
};

/* The birth of blocks that have lived for a long time; no cycle has it. */
enum { BIRTH_OLD = 0 };

enum { NO_BIRTH = 2 }; /* has a bit that no birth has */

/* Which states make candidates: by state byte, what the white byte starts as. */
struct white_rule {
    uint8_t by_state[256];
    uint32_t birth; /* of blocks that are none, since they are allocated while the cycle runs */
    bool is_young;
    /* The same for gc/white_lanes: births in the place they have in states, NO_BIRTH where there is none. */
    uint8_t own, young, aged[2];
};

/*
 * All blocks there are. From then on blocks will carry `birth`; those that carry it now, or the one after it, from BIRTH_COUNT
 * cycles ago, become BIRTH_OLD. With BIRTH_COUNT itself nothing is changed.
 */
void white_rule_full(struct white_rule *rule, uint32_t birth);

/*
 * The same while blocks are allocated with `birth` already: those are none. Nothing may carry it from before:
 * white_may_be_born().
 */
void white_rule_running(struct white_rule *rule, uint32_t birth);

/* Likewise, and candidates are only those of birth `young`. Spans without any are left out of the table of units. */
void white_rule_young(struct white_rule *rule, uint32_t young, uint32_t birth);

/* No block carries this birth. */
bool white_may_be_born(uint32_t birth);

/*
 * Makes the bytes for every span. The heap's locks are held and all other threads stopped. Returns 0 or -ENOMEM.
 */
int white_start(const struct white_rule *rule);

/*
 * The same in steps, while threads run: room for all spans there are, then the bytes of those that begin in a stretch of units,
 * under the run lock. Blocks carry the rule's birth already: what is missed or becomes a block meanwhile is no candidate.
 * Returns where the next stretch begins, SIZE_MAX at the end.
 */
int white_prepare(void);
size_t white_build(const struct white_rule *rule, size_t from_unit, size_t unit_count);

/*
 * For a second look, to check the first: sets the bytes aside and makes new ones, as white_start() does. The caller compares, and
 * takes the first back.
 */
int white_check_start(const struct white_rule *rule);
uint8_t *white_check_other(const uint8_t *white); /* the second byte of a slot or a large block, or NULL if it has none */
void white_check_swap(void);

/* The cycle is over; an area much larger than the next cycle is likely to need is given up. */
void white_end(void);

/*
 * What the marker needs of each unit, in eight bytes instead of the descriptor's line, so that the table of a gigabyte fits
 * the second-level cache: below bit 48 the address of the white bytes of the unit's span, from bit 48 on how many units
 * before this one the span begins, from bit 56 on its class plus one, or WHITE_UNIT_LARGE; then the address is that of a struct
 * white_large. 0 where there is no candidate. It says what was there when the cycle began.
 */
extern const uint64_t *white_units;
extern size_t white_unit_count;
extern uint32_t white_serial; /* how often they were made */

/* What there is of candidates in spans, since white_prepare(). */
extern uint64_t white_candidate_blocks, white_candidate_bytes;
extern uint64_t white_sparse_bytes; /* slots and blocks of several pages, candidates or not */

/*
 * For who finds blocks in no order: two bits for each slot, beside each other, so that a random access is to a fourth of the memory
 * that white bytes are. A place says where those of 64 slots in a row are; that of place 0 are nobody's. `fresh` is set while nobody
 * has found the block, and only if the white byte was WHITE or WHITE_LEAF in the beginning; `grey` of who was found so and is
 * still to be looked at. The white byte changes then, and is the one that counts.
 */
struct white_place {
    uint64_t fresh;
    uint64_t grey;
};

extern struct white_place *white_places;

/* The same by unit as in white_units, but below bit 48 the number of the place of the span's first slots. */
extern const uint64_t *white_place_units;

enum { WHITE_UNIT_BACK_SHIFT = 48, WHITE_UNIT_CLASS_SHIFT = 56, WHITE_UNIT_LARGE = 255 };

static inline void *white_unit_address(uint64_t unit)
{
    return (void *)(uintptr_t)(unit & (((uint64_t)1 << WHITE_UNIT_BACK_SHIFT) - 1));
}

static inline size_t white_unit_class(uint64_t unit)
{
    return unit >> WHITE_UNIT_CLASS_SHIFT;
}

static inline size_t white_unit_back(uint64_t unit)
{
    return unit >> WHITE_UNIT_BACK_SHIFT & 255;
}

/* In the mirror of a large block's record. */
struct white_large {
    uint8_t white;
    uintptr_t start;
    size_t size_bytes;
    size_t first_unit;
    size_t unit_count;
};

/* From a state byte, or a large block's record, to its white byte. */
extern ptrdiff_t white_distance;

static inline uint8_t *white_of(const void *state)
{
    return (uint8_t *)((uintptr_t)state + (uintptr_t)white_distance);
}

static inline void *white_state(const void *white)
{
    return (void *)((uintptr_t)white - (uintptr_t)white_distance);
}

static inline size_t white_unit_place(uint64_t unit)
{
    return unit & (((uint64_t)1 << WHITE_UNIT_BACK_SHIFT) - 1);
}

static inline bool span_is_large(const struct span *span)
{
    return heap_layout.units[span->first_unit].kind == UNIT_LARGE;
}

/* A span, or a large block, as it was when the cycle began; it may be gone. */
struct white_span {
    uint8_t *white;      /* of its slots, or of the block */
    struct white_place *places;
    size_t first_unit;
    size_t unit_count;
    uintptr_t start;
    size_t slot_bytes;
    uint32_t slot_count;
    uint8_t class_index;
    bool is_large;
};

/* The span that the unit belonged to; false if to none. */
bool white_span_of(size_t unit_index, struct white_span *span_out);

/* The block counts as white again, as it was before it was marked. Nobody marks. */
void white_set_back(const void *block, uint8_t *white, uint8_t value);

/* The next span at or after a unit; false at the end. */
bool white_span_from(size_t unit_index, struct white_span *span_out);

#endif
