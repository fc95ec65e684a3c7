/*
 * leak/record: notes for each block where, when and by whom it was allocated.
 *
 * In the span's COLUMN_STACK, as struct block_record; what that refers to lies in image->leak. Blocks from before
 * record_start() have none, nor have those that no sample has hit, and none is made when memory is short: then its
 * fields are 0.
 */
#ifndef LEAK_RECORD_H
#define LEAK_RECORD_H

#include "leak/tables.h"

#include <stdbool.h>

/*
 * From now on every allocation is recorded, with up to frames_max frames; or, unless sample_bytes is 0, those that
 * leak/sample.h chooses. Once, before there is a second thread. With `skips_own` frames of the object this code is in
 * are left out, up to the first of another. Returns 0, -ENOMEM, or -EOPNOTSUPP where stacks can't be walked.
 */
int record_start(uint32_t frames_max, uint64_t sample_bytes, bool skips_own);

/* The same for blocks between guard pages only (heap/guard.h). */
int record_start_guarded(uint32_t frames_max);

/* After record_start(): what each place allocates and frees is counted as well (leak/lives.h). Returns 0 or -ENOMEM. */
int record_count_lives(void);

/* An object may have been unloaded. Nothing happens before record_start(). */
void record_unloaded(void);

/*
 * Blocks that the calling thread gets while it ignores are left out of reports of leaks; `by` is 1 or -1, and adds up. The
 * other one marks a block that is there already. Both do nothing before record_start(). Returns 0, -EINVAL when no block
 * is there, or -ENOMEM.
 */
void record_ignore(int by);
int record_ignore_block(const void *address);

/* Where this code and its data lie, if its frames are left out; 0 otherwise. */
void record_own_object(uintptr_t *start_out, uintptr_t *end_out);

/* The calling thread ends: what it was called is kept. */
void record_thread_ends(void);

/* What is known of the block that holds the address. False if nothing. */
bool record_get(const void *address, struct block_record *record_out);

#endif
