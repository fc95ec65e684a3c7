/*
 * heap/verify: walks every table of the heap and checks every invariant. While other threads have heaps, what they change
 * without a lock (buffers, batches, and the balance of slots) is left out.
 */
#ifndef HEAP_VERIFY_H
#define HEAP_VERIFY_H

/* Returns NULL, or what is wrong first. */
const char *heap_verify(void);

#endif
