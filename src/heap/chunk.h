/*
 * heap/chunk: memory for what hands out memory of its own: arenas, pools.
 *
 * A chunk is a large block that is not malloc's: a run of units that nothing else has a part of. free() and realloc() of any
 * address in it are refused and named; walks and statistics do not count it among the blocks. A collector treats it
 * like any large block: it is searched for pointers, and freed when nothing leads into it. Thread-safe.
 */
#ifndef HEAP_CHUNK_H
#define HEAP_CHUNK_H

#include "heap/unit.h"

#include <stddef.h>

/*
 * A chunk of at least size_bytes, aligned to UNIT_BYTES; how much of it may be used, a multiple of BLOCK_ALIGNMENT, goes to
 * *usable_out. It holds anything. NULL when memory is short.
 */
void *chunk_take(size_t size_bytes, enum unit_use use, size_t *usable_out);

void chunk_put(void *chunk);

/* The start of the chunk of this use that the address lies in; NULL for every other value. */
void *chunk_of(const void *address, enum unit_use use);

#endif
