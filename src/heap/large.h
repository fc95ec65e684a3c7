/*
 * heap/large: blocks beyond the largest size class, each a run of units of its own. Thread-safe.
 */
#ifndef HEAP_LARGE_H
#define HEAP_LARGE_H

#include "heap/unit.h"

#include <stdbool.h>
#include <stddef.h>

/* The units that a block of this size takes. */
static inline size_t large_units(size_t size_bytes)
{
    return (size_bytes - class_rule.bias + UNIT_BYTES) >> UNIT_SHIFT;
}

/*
 * A block of at least size_bytes, aligned to align_bytes (a power of two). With `zeroed` it reads as zero; only the units
 * that hold old data are cleared. NULL when memory is short.
 */
void *large_allocate(size_t size_bytes, size_t align_bytes, bool zeroed);

/* The same if that touches no page that holds nothing, and so might be better; else NULL. */
void *large_allocate_dirty(size_t size_bytes, size_t align_bytes, bool zeroed);

/*
 * Frees the block; `unit` is the descriptor of the unit that holds the pointer and is of kind UNIT_LARGE. Small ones may
 * stay with the calling thread's heap (heap/kept.h), which may be NULL.
 */
void large_free(struct thread_heap *heap, void *block, struct unit *unit, void *caller);

/* The large block, just allocated, is a chunk of this use; see heap/unit.h. */
void large_set_use(void *block, enum unit_use use);

/* Frees a large block of any use that is known to be allocated. The heap may be NULL. */
void large_release(struct thread_heap *heap, void *block);

/*
 * For heap/guard: a run that nothing leads to, clean if there is one; its block, described as the span says, allocated from here on; and
 * its end.
 */
struct span *large_take_run(size_t unit_count, size_t align_units);
void *large_publish(struct span *span);
void large_give_up(struct span *span);

/* For a collector: frees the block that begins in this unit, unless it carries `birth`. Returns whether it did. */
bool large_reclaim(struct unit *unit, uint32_t birth);

/*
 * For blocks that are held, see heap/limbo.h. large_trap() takes the block's pages and, while there are few such blocks, makes it
 * inaccessible; large_lock() is held. Returns false where the program has locked the pages. large_release_held() frees
 * the block; false when the kernel refuses to make it accessible again.
 */
bool large_trap(struct span *span);
bool large_release_held(struct span *span);

/* Whether somebody has a note about the block (heap/note.h); and the note's end. Then false when the block stays. */
bool large_is_noted(const struct unit *unit);
bool large_end_note(struct unit *unit, void *caller);

/* The block, just allocated, will hold no pointers. */
void large_set_leaf(void *block);

/* Gives a block's units back; its state says free. Its record is gone. */
void large_destroy(struct span *span);

/*
 * Resizes the block, in place if it can, else by moving its pages. Returns the block, which may have moved, or NULL with
 * the old one as it was.
 */
void *large_resize(void *block, struct span *span, size_t size_bytes);

/* While set, blocks that move are copied: their pages stay where they are. */
void large_copy_only(bool only);

/* From the next time that the lock below is free no block grows where it is, until taken back: it moves, and is a new block. */
void large_fix(bool fixed);

/* Nothing moves while this is held. Inside all thread heaps' locks, outside the run lock. */
void large_lock(void);
void large_unlock(void);
bool large_lock_is_wanted(void); /* somebody waits for it */
void large_lock_reset(void);

#endif
