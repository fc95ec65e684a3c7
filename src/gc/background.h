/*
 * gc/background: cycles on the helper's thread, beside the program.
 */
#ifndef GC_BACKGROUND_H
#define GC_BACKGROUND_H

#include "gc/cycle.h"

#include <stdbool.h>

/* Cycles can run there; and the next one would be long enough to be worth it, and may begin by itself. */
bool background_is_possible(void);
bool background_is_worth_while(void);

/* Begins one, unless one is under way or the cycle's lock is taken. A young one becomes a full one where it has to. */
void background_start(enum cycle_reason reason, bool is_young);

bool background_is_busy(void);

/*
 * In a stop of somebody else's cycle, with the cycle's lock: what the program has written until now is of no interest to the next
 * cycle of young blocks, if the helper knows of it at all.
 */
void background_renew(void);

/*
 * Collects the blocks allocated since the last cycle, or all if it is not known what was written since, and waits for that. Where
 * nothing can run in the background it is done in one stop. Returns 0 or -errno, as cycle_collect().
 */
int background_collect_young(void);

/*
 * Works on a full cycle for about so much processor time, and begins one if none is under way. Returns 1 when it has come to its
 * end, 0 when there is more to do, or -errno. Between two steps the cycle waits, unless the heap grows so far that it
 * must not. Where nothing can run in the background one step is all.
 */
int background_step(uint64_t work_ns);

/* Until it has ended, for a second at most: the program allocates faster than the helper collects. */
void background_wait(void);

/*
 * Around what needs a process with one thread, or a sandbox: ends what runs in the background, and the thread that it runs on.
 * Another may be made when it is needed again.
 */
void background_end_helper(void);

/* From now on cycles stop the program for all of their time. When this returns, nothing reads the program's memory. */
void background_deny(void);

/* In the child of a fork. */
void background_forget(void);

#endif
