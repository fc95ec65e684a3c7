/*
 * gc/quarantine: when held blocks (heap/limbo.h) may be used again.
 *
 * A sweep reads all memory of the process for pointers to what is held, and releases what has none.
 */
#ifndef GC_QUARANTINE_H
#define GC_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

/* What all sweeps of this process did so far. Times are nanoseconds. */
struct quarantine_totals {
    uint64_t sweeps;
    uint64_t trawls;    /* of these, those that read while threads ran */
    uint64_t abandoned; /* some thread could not be stopped or some memory not be read */
    uint64_t by_age;    /* released what was held longest: threads can't be stopped any more */
    uint64_t released_blocks;
    uint64_t released_bytes;
    uint64_t changed_blocks; /* found written after they were freed */
    uint64_t held_blocks;    /* after the last sweep; pointed to, or freed meanwhile */
    uint64_t held_bytes;
    uint64_t scanned_bytes;
    uint64_t pause_ns;
    uint64_t pause_ns_max;
    uint64_t sweep_ns;
};

/*
 * From now on what is freed is searched for and released. Called once, if at all, by the main thread before there are others.
 * Returns 0; or -errno, and nothing is held any more.
 */
int quarantine_start(void);

/* True when quarantine_start() was called. */
bool quarantine_active(void);

/* Sweeps now. The caller holds no lock of the heap. Returns 0, or -errno when nothing could be released. */
int quarantine_sweep(void);

/* Threads can't be stopped any more: what is held is released by its age from now on. */
void quarantine_give_up(void);

/*
 * Ends a sweep that is under way, if one is, and the helper for good: the calls they make may soon be deadly. Other sweeps begin only
 * while threads can be stopped.
 */
void quarantine_abandon(void);

/* Around what needs a process with one thread: ends the helper. Another may be made when it is needed again. */
void quarantine_end_helper(void);

/* The program is about to change what of the heap can be accessed. */
void quarantine_note_protection(void);

void quarantine_get_totals(struct quarantine_totals *totals_out);

#endif
