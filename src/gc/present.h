/*
 * gc/present: which pages of the heap hold something, while all is marked in one stop.
 *
 * Programs ask for more than they write to, and to read a page that was never written has the kernel map its page of zeros: a fault
 * then, and another one when the program comes to write. So blocks of several pages are read only where they have any.
 */
#ifndef GC_PRESENT_H
#define GC_PRESENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Smaller blocks are read as a whole. */
enum { PRESENT_BYTES_MIN = 4096 };

/*
 * All other threads are stopped; there are so many bytes of blocks of that size. Asks, if these are worth it: some nanoseconds for each page of
 * the heap. What can't be found out counts as present.
 */
void present_look(size_t sparse_bytes);

/* The stop ends: all pages count as present. */
void present_forget(void);

bool present_is_known(void);

/* The first stretch of [*start_inout, end), memory of the heap's, that may hold something; false if none does. */
bool present_next(uintptr_t *start_inout, uintptr_t end, uintptr_t *stretch_end_out);

#endif
