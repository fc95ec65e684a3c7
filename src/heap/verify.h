/*
 * heap/verify: walks every table of the heap and checks every invariant. While other threads have heaps, what they change
 * without a lock (buffers, batches, and the balance of slots) is left out.
 */
#ifndef HEAP_VERIFY_H
#define HEAP_VERIFY_H

#include <stdbool.h>

/* Returns NULL, or what is wrong first. With are_quiet the caller vouches for all threads, and everything is checked. */
const char *heap_verify(bool are_quiet);

#endif
