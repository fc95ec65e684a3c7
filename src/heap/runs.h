/*
 * heap/runs: runs of units, taken and given back; and the return of free pages to the kernel.
 *
 * A free unit is clean (reads as zero, holds no page) or dirty. Dirty runs are reused first, then any free run, lowest
 * address first, then the heap grows. Dirty units beyond a budget are purged by the thread that frees.
 * Thread-safe (run lock).
 */
#ifndef HEAP_RUNS_H
#define HEAP_RUNS_H

#include "heap/unit.h"

#include <stdbool.h>
#include <stddef.h>

enum run_preference {
    RUN_DIRTY_FIRST, /* reuse pages: the usual case */
    RUN_CLEAN_FIRST, /* the pages would be replaced or must be zero */
    RUN_DIRTY_ONLY,  /* fail rather than take a unit without pages */
};

/*
 * Takes `count` units, the first one's address a multiple of align_units units, a power of two. Returns its index, or
 * SIZE_MAX when memory is short. Which of them are dirty: run_find(). The caller sets up the descriptors.
 */
size_t run_take(size_t count, size_t align_units, enum run_preference preference);

/*
 * Takes the units [first, first + count) if all of them are free or not used yet. Returns false otherwise.
 */
bool run_take_at(size_t first, size_t count);

/*
 * Gives units back, whose descriptors are cleared. May purge, and lets the lock go meanwhile. The run lock is held, so
 * that clearing and giving back are one step for a walk.
 */
void run_put(size_t first, size_t count);

/* Purges as run_put() does, where the budget asks for it: for who gets along without that for long. */
void run_purge_due(void);

/*
 * The next stretch of dirty (or clean) units of a taken run within [from, limit): its start, or limit when there is
 * none; its end goes to *end_out.
 */
size_t run_find(size_t from, size_t limit, bool dirty, size_t *end_out);

/* Says whether units of a taken run hold something else than zeros. The run lock is held. */
void run_set_dirty(size_t first, size_t count, bool dirty);

/*
 * From now on no more than so many units are taken and dirty together; those that are stay. 0: no limit. Also what it is now, SIZE_MAX for
 * none.
 */
void run_set_limit(size_t unit_count);
size_t run_limit(void);

/* Free units that hold pages, at some moment. No lock is needed. */
size_t run_dirty_count(void);

/* A collector is about to free so many units, or has done so: for a second they are not purged. */
void run_expect(size_t count);

/* Purges every dirty unit. Returns the bytes given back. */
size_t run_purge_all(void);

/* Guards a walk over all descriptors: no span that it finds ends meanwhile. Also taken before fork. */
void run_lock(void);
void run_unlock(void);
void run_lock_reset(void);

/* Checks the bitmaps against the counters and the descriptors. The run lock is held. Returns NULL or what is wrong. */
const char *run_verify(void);

#endif
