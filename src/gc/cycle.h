/*
 * gc/cycle: a collection from beginning to end.
 */
#ifndef GC_CYCLE_H
#define GC_CYCLE_H

#include <stdbool.h>
#include <stdint.h>

/* Why a cycle begins; also what the log calls it. */
enum cycle_reason { CYCLE_ASKED, CYCLE_GROWN, CYCLE_EXHAUSTED, CYCLE_TORTURE, CYCLE_PRESSED };

/* True when there is a collector: see trigger_start(). */
bool gc_active(void);

/*
 * Collects everything that cannot be reached. The caller holds no lock of the heap. Returns 0, or -errno when nothing was
 * collected: -EBUSY while another thread collects, -ECANCELED while collecting is disabled, otherwise why the cycle was
 * abandoned.
 */
int cycle_collect(enum cycle_reason reason);

/*
 * The same for what was allocated since the last cycle, in one stop: what is older stays, and so does what that leads to. All is collected
 * where this can't be told.
 */
int cycle_collect_young(enum cycle_reason reason);

/* Whether the program itself says where it writes; waits for a cycle's lock. Returns 0 or -ENOMEM. */
int cycle_set_tracking(bool by_program);

/* Cycles that nobody asked for do not begin while disabled more often than enabled. */
void cycle_disable(void);
void cycle_enable(void);

#endif
