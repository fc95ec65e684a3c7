/*
 * gc/preclean: marks from what is written while marking goes on: in rounds while the program runs, and the rest when it is stopped.
 */
#ifndef GC_PRECLEAN_H
#define GC_PRECLEAN_H

#include <stdbool.h>
#include <stdint.h>

struct concurrent;

/*
 * Marks from what was written, over and over, until that is little, or no less than the time before: the program writes as fast as
 * we read. Returns 0 or -errno.
 */
int preclean_until_few(struct concurrent *cycle);

/*
 * All other threads are stopped: marks from what was written since, and from all roots, and everything they lead to. budget_ns is
 * for all this; when that will not do or has not done, -EBUSY: threads are to go on, and all this is to be repeated. With 0 it takes what it takes. Returns 0 when
 * marking is complete, or -errno.
 */
int preclean_rest(struct concurrent *cycle, uint64_t budget_ns);

#endif
