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
    GREY = 8,       /* marked, still to be scanned: the worklist was full */
    WHITE_AGED = 128, /* in a rule: the block's birth is about to be used again */
};

/* The birth of blocks that have lived for a long time; no cycle has it. */
enum { BIRTH_OLD = 0 };

/* Which states make candidates: by state byte, what the white byte starts as. */
struct white_rule {
    uint8_t by_state[256];
};

/* All blocks there are; `birth` is what blocks will carry from now on. */
void white_rule_full(struct white_rule *rule, uint32_t birth);

/*
 * Makes the bytes for every span. The heap's locks are held and all other threads stopped. Returns 0 or -ENOMEM.
 */
int white_start(const struct white_rule *rule);

/* The cycle is over; an area much larger than the next cycle is likely to need is given up. */
void white_end(void);

/*
 * What the marker needs of each unit, in eight bytes instead of the descriptor's line, so that the table of a gigabyte fits
 * the second-level cache: from bit 16 on the address of the white bytes of the unit's span, from bit 8 on how many units
 * before this one the span begins, below that its class plus one. 0 for large blocks and free units.
 */
extern const uint64_t *white_units;

enum { WHITE_UNIT_SHIFT = 16, WHITE_UNIT_BACK_SHIFT = 8, WHITE_UNIT_MASK = 255 };

/* From a state byte, or a large block's record, to its white byte. */
extern ptrdiff_t white_distance;

static inline uint8_t *white_of(const void *state)
{
    return (uint8_t *)((uintptr_t)state + (uintptr_t)white_distance);
}

static inline bool span_is_large(const struct span *span)
{
    return heap_layout.units[span->first_unit].kind == UNIT_LARGE;
}

#endif
