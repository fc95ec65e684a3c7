/*
 * heap/metadata: memory for the allocator's own records, apart from all blocks.
 *
 * Pieces are multiples of 64 bytes, aligned to 64. Thread-safe (metadata lock).
 */
#ifndef HEAP_METADATA_H
#define HEAP_METADATA_H

#include <stddef.h>

/* Zeroed memory, or NULL when the kernel gives none. */
void *metadata_take(size_t size_bytes);

/* Gives a piece back; size_bytes as it was taken. NULL is allowed. */
void metadata_put(void *piece, size_t size_bytes);

/* Fork: the lock is taken before, released in the parent, reset in the child. */
void metadata_lock(void);
void metadata_unlock(void);
void metadata_lock_reset(void);

/* Bytes that lie on the free lists now. */
size_t metadata_free_bytes(void);

#endif
