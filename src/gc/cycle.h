/*
 * gc/cycle: a collection from beginning to end, and what makes one begin.
 */
#ifndef GC_CYCLE_H
#define GC_CYCLE_H

#include <stdbool.h>
#include <stdint.h>

/* Why a cycle begins; also what the log calls it. */
enum cycle_reason { CYCLE_ASKED, CYCLE_GROWN, CYCLE_EXHAUSTED, CYCLE_TORTURE };

/* What all cycles of this process did so far. Times are nanoseconds. */
struct cycle_totals {
    uint64_t cycles;
    uint64_t abandoned; /* begun in vain: some thread could not be stopped or some memory not be read */
    uint64_t freed_blocks;
    uint64_t freed_bytes;
    uint64_t pause_ns;
    uint64_t pause_ns_max;
    uint64_t pause_ns_last;
    uint64_t mark_ns;
    uint64_t scanned_bytes;
    uint64_t live_blocks; /* after the last cycle */
    uint64_t live_bytes;
};

/*
 * From now on the heap is collected when it has grown, as the options say. Called once, if at all, by the main thread
 * before there are others. Returns 0, or -errno and nothing is ever collected.
 */
int cycle_start(void);

/* True when cycle_start() was called. */
bool gc_active(void);

/*
 * Collects everything that cannot be reached. The caller holds no lock of the heap. Returns 0, or -errno when nothing was
 * collected: -EBUSY while another thread collects, -ECANCELED while collecting is disabled, otherwise why the cycle was
 * abandoned.
 */
int cycle_collect(enum cycle_reason reason);

/* Cycles that nobody asked for do not begin while disabled more often than enabled. */
void cycle_disable(void);
void cycle_enable(void);

void cycle_get_totals(struct cycle_totals *totals_out);

#endif
