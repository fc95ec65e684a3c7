/*
 * gc/history: what the collector has done so far.
 *
 * In the metadata, so that tools see it in a copy of the image (image->collector). A cycle is young when only blocks
 * allocated since the one before were candidates, else full. What programs allocate is not counted; it follows from what
 * cycles find, so what was allocated and freed again between two of them is not in it.
 */
#ifndef GC_HISTORY_H
#define GC_HISTORY_H

#include "base/lock.h"

#include <stdint.h>

enum history_kind { HISTORY_YOUNG, HISTORY_FULL, HISTORY_KINDS };

/* Bucket i counts pauses of less than 2^i microseconds, and of at least half as much; the last also all longer ones. */
enum { HISTORY_BUCKETS = 24 };

struct history_kind_totals {
    uint64_t cycles;
    uint64_t candidate_bytes; /* of blocks looked at */
    uint64_t freed_blocks;
    uint64_t freed_bytes;
    uint64_t time_ns; /* from beginning to end, whatever else ran */
};

struct history {
    uint32_t history_bytes; /* of this structure: a tool of another build notices */
    struct lock lock;
    struct history_kind_totals kinds[HISTORY_KINDS];
    uint64_t abandoned; /* begun in vain: some thread could not be stopped or some memory not be read */
    uint64_t pauses;
    uint64_t pause_ns;
    uint64_t pause_ns_max;
    uint64_t pause_ns_last;
    uint64_t pause_buckets[HISTORY_BUCKETS];
    uint64_t mark_ns;
    uint64_t scanned_bytes;
    uint64_t live_blocks; /* after the last cycle */
    uint64_t live_bytes;
    uint64_t allocated_bytes; /* what cycles found that was new to them */
    uint64_t start_ns;
    uint64_t last_end_ns;
    uint64_t rate_bytes_per_s;    /* allocated between the last two cycles */
    uint64_t survived_permille[HISTORY_KINDS]; /* of the candidates' bytes, in the last cycle of each kind */
};

/* One cycle that has come to its end. Of a young one live_* are the survivors among its candidates. */
struct history_cycle {
    enum history_kind kind;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t mark_ns;
    uint64_t scanned_bytes;
    uint64_t freed_blocks;
    uint64_t freed_bytes;
    uint64_t live_blocks;
    uint64_t live_bytes;
};

/* Once, before there are cycles. Returns 0 or -ENOMEM. */
int history_start(void);

void history_note_cycle(const struct history_cycle *cycle);
void history_note_failure(void);
void history_note_pause(uint64_t pause_ns);

/* As it is at one moment; all zero without a collector. */
void history_get(struct history *history_out);

/* Around a fork: nobody notes anything meanwhile. */
void history_lock(void);
void history_unlock(void);
void history_lock_reset(void);

#endif
