/*
 * gc/inflight: requests that the program has handed to the kernel through io_uring or aio, and that lie nowhere else by now.
 *
 * A request's slot in a ring is used again while the kernel still works on it. So each is copied when it is handed over, and
 * the copy is a root until the program has taken its completion. Rings themselves are mapped, and roots as all memory is.
 *
 * The lock is that of the program's roots.
 */
#ifndef GC_INFLIGHT_H
#define GC_INFLIGHT_H

#include "gc/roots.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* io_uring_setup(2) has made a ring of this descriptor; io_uring_enter(2) was called with it. */
void inflight_setup(int descriptor, const void *parameters);
void inflight_entered(int descriptor);

/*
 * Around io_submit(2): the requests are about to be handed over; the kernel took all but these. Events were returned by
 * io_getevents(2); the context was destroyed.
 */
void inflight_submit(uint64_t context, void *const *requests, long count);
void inflight_take_back(uint64_t context, void *const *requests, long count);
void inflight_complete(uint64_t context, const void *events, long count);
void inflight_destroy(uint64_t context);

/* Feeds all copies. The lock is held. */
void inflight_scan(roots_range *range, void *context);

#endif
