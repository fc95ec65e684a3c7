/* own/pool: what a pool is made of. */
#ifndef OWN_POOL_H
#define OWN_POOL_H

#include "gcalloc/pool.h"

#include "base/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

/* At the start of each chunk. A table of handles has none: its chunks have no magic. */
struct pool_chunk {
    struct pool *pool;
    uintptr_t magic;         /* the chunk's own address */
    struct pool_chunk *next; /* older */
    struct pool_chunk *next_available;
    char *objects;
    uint64_t *free; /* a bit for each object */
    size_t usable_bytes;
    uint32_t count;
    uint32_t free_count;
    uint32_t first_free_word; /* no bit is set in the words below */
    bool is_available;        /* in the pool's list */
};

struct pool {
    struct pool_chunk *available; /* chunks with free objects */
    size_t objects;
    size_t objects_max;
    size_t object_bytes;
    uint64_t reciprocal; /* 2^64 / object_bytes, rounded up; wraps to 0 for 1 */
    size_t align_bytes;
    struct pool_chunk *chunks;
    size_t capacity;
    size_t capacity_bytes;
    const char *name;
    void (*drop)(void *object);
    bool is_watched; /* by AddressSanitizer, in the program: it is told which objects are out */
};

/* For a report: the address lies in a chunk of a pool's or a table's. */
void pool_describe(struct text *text, const void *address);

/* The object that is out, around the address; false where there is none. */
bool pool_object(const void *address, uintptr_t *start_out, size_t *size_out);

#endif
