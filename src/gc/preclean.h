/*
 * gc/preclean: marks from what is written while marking goes on: in rounds while the program runs, in short stops in between where it
 * writes faster than that, and the rest in the last one.
 */
#ifndef GC_PRECLEAN_H
#define GC_PRECLEAN_H

#include <stdbool.h>
#include <stdint.h>

struct concurrent;

/* The first ones: marks from what was written, over and over, until that is little, or not much less than before. Returns 0 or -errno. */
int preclean_until_few(struct concurrent *cycle);

/*
 * All other threads are stopped, and the heap's and the roots' locks are held. Marks from some of what was written since, for as long as a
 * stop may take; in the last one from all that was written, from all roots, and everything they lead to. Returns 0 when marking is complete; -EBUSY: threads are to go on for
 * preclean_between(), and all this is to be repeated; or -errno. It sees to it that it comes to an end. They were stopped from stopped_ns on.
 */
int preclean_stopped(struct concurrent *cycle, uint64_t stopped_ns);

/* While threads run, for a short while: goes on where the last stop has come to. Returns 0 or -errno. */
int preclean_between(struct concurrent *cycle);

#endif
