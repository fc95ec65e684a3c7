/*
 * gc/cycle: a collection from beginning to end, and what makes one begin.
 */
#ifndef GC_CYCLE_H
#define GC_CYCLE_H

#include <stdbool.h>
#include <stdint.h>

/* Why a cycle begins; also what the log calls it. */
enum cycle_reason { CYCLE_ASKED, CYCLE_GROWN, CYCLE_EXHAUSTED, CYCLE_TORTURE, CYCLE_PRESSED };

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

#endif
