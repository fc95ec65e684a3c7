/*
 * gc/written: which pages of the heap have been written since a moment, by the kernel's word (os/tracking) or by the program's own,
 * if it has said that it will tell: gca_write_barrier().
 *
 * Either errs on the side of written. All of it is for the helper and the crew, but the last but one: for who holds the cycle's lock.
 */
#ifndef GC_WRITTEN_H
#define GC_WRITTEN_H

#include "os/tracking.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Before a cycle. Returns 0, or -ENOTSUP: nothing is known of writes. */
int written_start(void);

/*
 * A look through all of the heap, in pieces: where it begins and ends; and once more when threads have run since the last piece.
 * By the helper. Return 0, or -ENOTSUP when nothing is known any more.
 */
int written_begin(bool renews, uintptr_t *start_out, uintptr_t *end_out);
int written_go_on(uintptr_t end);

/*
 * Visits what was written there since the last time, in whole pages, and begins anew; the first time, and when it is another now whose
 * word is taken, that is everything. The second does not begin anew, while all other threads are stopped. `who` is 0 for the helper, or a
 * member of the crew's number, who asks first whether he may.
 */
bool written_may_look(unsigned who);
void written_renew(unsigned who, uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context);
void written_look(unsigned who, uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context);

/* A look was given up on its way: the next one starts from nothing. */
void written_forget(void);

/* All of it at once, by the helper. Returns 0, or -ENOTSUP without having visited anything. */
int written_renew_all(os_tracking_visit *visit, void *context);

/* From now on the program tells. Returns 0 or -ENOMEM. */
int written_by_program(void);

/* From now on the kernel is asked, as in the beginning. */
void written_by_kernel(void);

/* The program has written there, and `value` is still in a register of the calling thread. Cheap; any number of threads. */
void written_tell(const void *start, size_t size_bytes, const void *value);

#endif
