/*
 * heap/chunk: memory for what hands out memory of its own.
 *
 * Locks: none of its own.
 */
#include "heap/chunk.h"

#include "base/bits.h"
#include "heap/allocate.h"
#include "heap/limbo.h"
#include "heap/large.h"
#include "heap/lookup.h"
#include "heap/span.h"
#include "heap/thread.h"

/* With a collector the last bytes stay unused, so that an address behind the last object still lies in the chunk. */
static size_t usable_bytes(size_t chunk_bytes)
{
    return block_usable_bytes(chunk_bytes) & ~(size_t)(BLOCK_ALIGNMENT - 1);
}

void *chunk_take(size_t size_bytes, enum unit_use use, size_t *usable_out)
{
    if (size_bytes > BLOCK_BYTES_MAX - 2 * UNIT_BYTES)
        return NULL;
    thread_heap_done(thread_heap_get()); /* the first call of all: with a collector, sizes mean something else */
    size_t chunk_bytes = round_up(size_bytes, UNIT_BYTES);
    if (usable_bytes(chunk_bytes) < size_bytes)
        chunk_bytes += UNIT_BYTES;
    void *chunk = heap_allocate_large(block_usable_bytes(chunk_bytes));
    if (chunk == NULL)
        return NULL;
    large_set_use(chunk, use);
    *usable_out = usable_bytes(chunk_bytes);
    return chunk;
}

void chunk_put(void *chunk)
{
    if (UNLIKELY(heap_layout.holds_freed))
        limbo_chunk(chunk);
    else
        large_release(thread_heap_peek(), chunk);
}

void *chunk_of(const void *address, enum unit_use use)
{
    struct block block;
    bool is_live = lookup_block(address, &block) && block.use == use && slot_is_allocated(block.state);
    return is_live ? (void *)block.start : NULL;
}
