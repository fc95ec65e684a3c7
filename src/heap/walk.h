/* heap/walk: every allocated block, in address order. */
#ifndef HEAP_WALK_H
#define HEAP_WALK_H

#include <stdbool.h>
#include <stddef.h>

typedef bool heap_visit(void *block, size_t size_bytes, void *context);

/* Calls visit until it returns false; it must not allocate or free. Returns the number of blocks visited. */
size_t heap_walk(heap_visit *visit, void *context);

/* Returns all free memory that can be found to the kernel. Returns the bytes. */
size_t heap_trim(void);

#endif
