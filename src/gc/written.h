/*
 * gc/written: which pages of the heap have been written since a moment, by the kernel's word (os/tracking) or by the program's own,
 * if it has said that it will tell: gca_write_barrier().
 *
 * Either errs on the side of written. The first three are for the helper, the next two for who holds the cycle's lock.
 */
#ifndef GC_WRITTEN_H
#define GC_WRITTEN_H

#include "os/tracking.h"

#include <stddef.h>
#include <stdint.h>

/* Before a cycle. Returns 0, or -ENOTSUP: nothing is known of writes. */
int written_start(void);

/*
 * Visits what was written since the last call, in whole pages, and begins anew; the first time, and when it is another now whose word
 * is taken, that is everything. Returns 0, or -ENOTSUP after having visited all, when nothing is known any more.
 */
int written_renew(os_tracking_visit *visit, void *context);

/* The same without beginning anew, while all other threads are stopped. */
int written_look(os_tracking_visit *visit, void *context);

/* From now on the program tells. Returns 0 or -ENOMEM. */
int written_by_program(void);

/* From now on the kernel is asked, as in the beginning. */
void written_by_kernel(void);

/* The program has written there, and `value` is still in a register of the calling thread. Cheap; any number of threads. */
void written_tell(const void *start, size_t size_bytes, const void *value);

#endif
