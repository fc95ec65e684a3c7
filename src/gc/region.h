/*
 * gc/region: safe regions, calls during which a thread need not be stopped.
 *
 * A signal would cut some calls of libc's short, whatever its handler does afterwards. A thread that makes one says so
 * first: it writes all registers that a function must keep, and the call's arguments, to its stack, and publishes its
 * stack pointer. Until it returns it touches nothing that a collection cares for, so it is as good as stopped. Coming
 * back it waits while a stop is under way. Nor does it start the call during one: then a thread that was found outside
 * can't be inside when the signal reaches it.
 *
 * Publishing is a plain store and a plain load. The thread that stops the others lets all of them pass a barrier between
 * its own store (a stop is under way) and its loads (who is in a region).
 *
 * A handler of the program's that runs during the call is the program again: region_suspend() ends the region for as long.
 * If it leaves by longjmp, the region stays ended, as it should. If the thread is cancelled in the call, or a handler leaves
 * it by an exception, the region ends when the call's frame is unwound.
 *
 * Uses os, base. Locks: none.
 */
#ifndef GC_REGION_H
#define GC_REGION_H

#include <stdbool.h>
#include <stdint.h>

enum { REGION_ARGUMENTS = 7 };

/* Any function of libc's whose arguments and result fit general registers. */
typedef long region_function(long, long, long, long, long, long, long);

/* True when calls are to be made by region_call(). */
extern bool region_is_on;

/* Calls the function in a region, if the calling thread has a record. errno is the function's. */
long region_call(region_function *function, long a, long b, long c, long d, long e, long f, long g);

/* True when the calling thread has a record and is in no region: region_call() would make one. */
bool region_is_possible(void);

/* How many handlers of the program's the calling thread has run. */
uint64_t region_handled_count(void);

/*
 * Around a handler of the program's: ends the region that the signal came in, and takes it up again. What the first returns is
 * for the second, 0 if there was none.
 */
uintptr_t region_suspend(void);
void region_resume(uintptr_t suspended);

#endif
