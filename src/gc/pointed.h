/*
 * gc/pointed: which held blocks (heap/limbo.h) something points to.
 *
 * Memory is read from one end to the other, not followed from block to block: everything allocated counts as reachable. Every word that
 * may be the address of a candidate, of its start, of any byte inside or one past its end, tagged in the top 16 bits or not, at
 * every multiple of four bytes, gives it the present mark, so that it is a candidate no more. One thread searches.
 *
 * One past the end lies in the block's own slot, since with the option quarantine no block fills its slot.
 */
#ifndef GC_POINTED_H
#define GC_POINTED_H

#include "gc/roots.h"
#include "heap/span.h"
#include "os/match.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pointed {
    struct os_match match;
    uintptr_t heap_start;
    size_t heap_bytes;
    uint64_t *units;    /* two bits for each unit: whether its span has a candidate, and whether it is one */
    uint64_t *granules; /* a bit for each 16 bytes of spans with candidates: whether they are of one; NULL in small heaps */
    uint8_t before;        /* a candidate's state */
    uint8_t now;
    const struct roots_part *unreadable; /* parts of the heap that must not be read, by address */
    size_t unreadable_count;
    uint64_t scanned_bytes;
    uint64_t reread_bytes; /* of these, what was read before */
    uint64_t found_blocks;
};

/* Begins a search, after limbo_turn(). The roots' lock is held. Returns 0 or -ENOMEM. */
int pointed_begin(struct pointed *pointed);

/* Every span there is comes first, as often as one likes. The run lock is held. */
void pointed_note_span(struct pointed *pointed, const struct span *span);

/* Looks at the words in [start, end) at multiples of step_bytes, 1, 4 or 8. The memory is readable. */
void pointed_range(struct pointed *pointed, const void *start, const void *end,
                   unsigned step_bytes);

/* Looks at all that is allocated in the span. */
void pointed_span(struct pointed *pointed, const struct span *span);

#endif
