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

/*
 * Around what needs a process with one thread, or a sandbox: ends what runs in the background, and the thread that it runs on.
 * Another may be made when it is needed again.
 */
void cycle_end_helper(void);

/* From now on cycles stop the program for all of their time. When this returns, nothing reads the program's memory. */
void cycle_deny_background(void);

/* Cycles that nobody asked for do not begin while disabled more often than enabled. */
void cycle_disable(void);
void cycle_enable(void);

#endif
