/*
 * gc/finalize: functions that a program wants called when a block can't be reached any more.
 *
 * A collection that finds such a block unreached keeps it, and everything it leads to, and puts it into a list. The program
 * runs the list when and where it wants. A finalizer runs once; then the block is one like any other, and if nothing
 * leads to it the next collection frees it.
 *
 * Order: a block whose finalizer says so waits until no other one that waits leads to it, a collection for each link of a
 * chain. In a cycle the one whose finalizer was set first goes first. Those that do not care go together, in the order in
 * which they were set.
 */
#ifndef GC_FINALIZE_H
#define GC_FINALIZE_H

#include "gc/ledger.h"
#include "gc/mark.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Sets, replaces or, when function is NULL, takes back the finalizer of an allocated block. Returns 0; -EINVAL when no
 * block starts there, -ENOENT when there was none to take back, -ENOMEM.
 */
int finalize_set(void *block, ledger_function *function, void *data, bool is_ordered);

/* Runs up to count_max finalizers of blocks found unreached, oldest first, without any lock. Returns how many. */
size_t finalize_run(size_t count_max);

/* How many wait to be run. */
size_t finalize_ready_count(void);

/* Waits until some are ready, no longer than timeout_ns (UINT64_MAX: for ever). Returns how many. */
size_t finalize_wait(uint64_t timeout_ns);

/* For gc/ledger, under its lock: the block of the entry is gone. */
void finalize_forget(const struct ledger_entry *entry);

/*
 * In a collection, all threads stopped, everything marked and the ledger's lock held: clears weak references, finds whose
 * finalizers are ready, and marks what they may look at.
 */
void finalize_after_mark(struct marker *marker);

/* After that, nobody stopped and no lock held: wakes those who wait. */
void finalize_announce(void);

/* Feeds the blocks that wait for their finalizers, and the finalizers' data. */
void finalize_scan(roots_range *range, void *context);

#endif
