/*
 * gc/mark: finds what can be reached.
 *
 * Every word that may be the address of a block marks it: of its start, of any byte inside, or one past its end; tagged
 * in the top 16 bits or not; at every multiple of four bytes. Several threads may mark at once (gc/crew.h), in a stop
 * or beside the program.
 *
 * One past the end: with the option gc no block fills its slot, see class_rule.bias, and such a word lies in the block's
 * own slot. On a heap that was made without, it is also the start of the next block and holds that one. Where it comes
 * from a root it then holds both; in a block it holds the one before only if the slot it points to is free, since
 * everything that points to a block would otherwise hold the block's neighbour as well.
 *
 * With `distances` a word in a block may also say how far from the start of that block another one starts. Small numbers are
 * distances, too: this holds blocks for no reason, and is for programs that need it.
 */
#ifndef GC_MARK_H
#define GC_MARK_H

#include "gc/roots.h"
#include "gc/worklist.h"
#include "heap/sizes.h"
#include "os/match.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MARK_AHEAD = 16, MARK_PAGED = 32, MARK_SPOTTED = 2 * MARK_PAGED, MARK_PIECE_WORDS = 16 /* in 64 bytes */ };

/* How to get from a place in a span to a slot, both in units of 16 bytes; by class plus one, or WHITE_UNIT_LARGE. */
struct mark_class {
    uint32_t reciprocal; /* 2^31 / slot size, rounded up: exact, since place times size stays below 2^31 */
    uint32_t slot_bytes; /* 0 of a large block */
    uint64_t last_byte;  /* of the slot, or of two lines of it */
};

/* What a marker looks things up in. Small and constant, so that loops keep copies of it in registers. */
struct mark_view {
    struct os_match match;
    struct os_match_wide wide;
    uintptr_t heap_start;
    size_t heap_bytes;
    size_t plain_bytes; /* words above are not followed the quick way: 0 where a block may fill its slot */
    bool is_plain;      /* nor blocks read that way if this is not set */
    size_t whole_bytes; /* slots of so many bytes at most are */
    const uint64_t *units; /* gc/white.h */
    const uint64_t *place_units;
    struct white_place *places;
    const struct mark_class *classes;
};

/* A block that a word was found for, while its white byte, and perhaps the block, are on the way into the cache. */
struct mark_found {
    uint8_t *white;
    uintptr_t start; /* bit 0 is set if it may be the end of another instead */
    const struct mark_class *class;
};

/* Likewise, of one that is to turn grey. */
struct mark_paged {
    uint64_t place;
    uint64_t bit;
    uint64_t unit; /* where a slot starts; of a large block the one that the word leads to */
};

/* The entries of the ring have numbers that are counted on and on. */
struct marker {
    struct mark_view view;
    bool slots_fill; /* a block may end where the next one starts */
    bool distances;  /* roots_hold_distances(); set by whoever drives the marker, once that is known */
    bool by_page;    /* what is found turns grey, instead of going to the list */
    bool is_shared;  /* others mark as well */
    bool has_noted;  /* a unit was flagged; grey_take() is to be asked */
    uint32_t ahead_first, ahead_end;
    uint32_t spotted_count, paged_count;
    struct mark_found ahead[MARK_AHEAD]; /* about to be marked and scanned */
    uint64_t spotted[MARK_SPOTTED]; /* offsets in the heap; what the table says of their units is on the way */
    struct mark_paged paged[MARK_PAGED]; /* about to turn grey; the bits that say whether they are fresh are on the way */
    struct worklist list;
    struct mark_part { /* units in a row that are looked through for what is grey */
        size_t next, end;
        size_t units, blocks; /* looked through, found in there */
    } part;
    const struct roots_part *unreadable; /* parts of the heap that must not be read, by address */
    size_t unreadable_count;
    uint64_t scanned_bytes;
    uint64_t blocks;
};

/*
 * Begins a cycle; white_start() has been called. `items` is memory for `limit` entries of the worklist. The marker
 * stays where it is until the cycle ends.
 */
void mark_start(struct marker *marker, struct work *items, size_t limit);

/*
 * Marks from the words in [start, end) at multiples of step_bytes, 1, 4 or 8; both addresses are multiples of four. The
 * memory must be readable.
 */
void mark_range(struct marker *marker, const void *start, const void *end, unsigned step_bytes);

/* Marks from one value. */
void mark_word(struct marker *marker, uintptr_t value);

/* Marks everything that what was marked leads to. */
void mark_drain(struct marker *marker);

/* Marks everything that the memory of a block leads to, but the block itself only if that leads to it. */
void mark_inside(struct marker *marker, uintptr_t start, size_t size_bytes);

/* The same for so many blocks. Returns whether that is all. Threads may run: memory that changes meanwhile is read in part. */
bool mark_drain_some(struct marker *marker, size_t count);

/*
 * For several markers in one cycle, each in a thread of its own (gc/crew.h). A marker joins another one that mark_start() began;
 * gives the older half of its list to whoever takes it, unless that is next to nothing; leaves all it has to others.
 */
void mark_join(struct marker *marker, const struct marker *other, struct work *items, size_t limit);
void mark_share(struct marker *marker);
void mark_leave(struct marker *marker);

/* Marks from what a part of a block that is marked holds, at multiples of four. */
void mark_part(struct marker *marker, uintptr_t start, uintptr_t end);

#endif
