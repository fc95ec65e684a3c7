/*
 * heap/limbo: blocks that the program has freed and that nobody may get yet.
 *
 * With the option quarantine free() does not give a slot back but holds it: the slot is wiped and its state says held, with one of
 * two marks. A turn changes the mark that is given from then on; so all that was held before carries the other one, and those
 * are the candidates of the search that follows (gc/quarantine.h). A candidate that is pointed to gets the new mark and waits for the
 * next turn; what still has the old one in the end is released. No list of what is held is kept anywhere.
 *
 * A held slot belongs to nobody: no span offers it, no buffer has it, and only who releases changes its state. So a span with a candidate
 * stays as long as that is not released, and a second free() of it, however late, is found by the state.
 *
 * Large blocks are held whole. From trap_min on they lose their pages at once and can't be accessed.
 */
#ifndef HEAP_HELD_H
#define HEAP_HELD_H

#include "heap/span.h"
#include "heap/unit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LIMBO_MARKS = 2, LIMBO_PATTERN = 0xdd };

static inline bool slot_is_held(uint8_t state)
{
    return slot_kind(state) == SLOT_FREE && slot_birth(state) != 0;
}

/* The state of what is held now, and of the candidates. */
extern uint8_t limbo_state_now;

static inline uint8_t limbo_state_before(void)
{
    return limbo_state_now == slot_state_of(SLOT_FREE, 1) ? slot_state_of(SLOT_FREE, 2)
                                                          : slot_state_of(SLOT_FREE, 1);
}

/* Once, before the first block. */
void limbo_start(void);

/* free() of an address inside the heap. */
void limbo_free(void *pointer, void *caller);

/* A chunk (heap/chunk.h) whose owner is done with it: it is held like any large block. */
void limbo_chunk(void *chunk);

/*
 * A span record for a large block that ends, which is known to be the caller's: held from here on. Its units are described.
 * Nothing can go wrong. large_lock() is held.
 */
void limbo_large(struct span *span);

/* In the child of a fork, for the heap of a thread that is not there: what it was about to hold is held. */
struct thread_heap;
void limbo_finish(struct thread_heap *heap);

/*
 * From now on what is held gets the other mark. Blocks that threads are about to hold at this moment are left out of the coming
 * release, since they may get either. All other threads are stopped.
 */
void limbo_turn(void);

/* The same while threads run, when nobody looks for pointers: what is released then was held for a while, no more. */
void limbo_turn_unwatched(void);

/* What a search for writes after free() found: a block that does not look as it was left. */
struct limbo_change {
    const void *block;
    size_t size_bytes;
    size_t offset_bytes; /* of the first byte that differs */
    const struct span *span;
    size_t index;
};

typedef void limbo_changed(const struct limbo_change *change);

/* What limbo_release() did. */
struct limbo_result {
    uint64_t released_blocks;
    uint64_t released_bytes;
    uint64_t kept_blocks; /* something points to them */
    uint64_t kept_bytes;
    uint64_t changed_blocks;
};

/*
 * Gives every candidate to its span, through the spans' own functions; threads may run. A block that was written after it was
 * freed is told to `changed`, if that is not NULL, wiped once more, and held until the next release. The caller reports what was
 * noted meanwhile (heap/misuse.h).
 */
void limbo_release(limbo_changed *changed, struct limbo_result *result_out);

/* Bytes held since the last turn, as far as threads have told. */
size_t limbo_since_turn(void);

/* What is held altogether, counted at the last release, and what came since. */
size_t limbo_bytes_now(void);

/*
 * About so much is held before it is released, all at once: what comes free then is needed again for what is allocated until the next
 * release, and not given back to the kernel before (heap/purge.h). Says whoever decides it; 0 until then.
 */
void limbo_set_allowed(size_t size_bytes);
size_t limbo_allowed(void);

/* No free() holds any more; what is held is released. Threads may run. */
void limbo_end(void);

#endif
