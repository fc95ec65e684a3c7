/*
 * gcalloc/pool.h: objects of one size, and handles that know when what they mean is gone. See gcalloc_pool(3).
 *
 * A pool or a table of handles belongs to one thread at a time; that is the program's to see to. Misuse is reported as
 * that of free() is.
 */
#ifndef GCALLOC_POOL_H
#define GCALLOC_POOL_H

#include <gcalloc/annotate.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- pools ---- */

typedef struct gca_pool gca_pool;

typedef struct gca_pool_options {
    const char *name;           /* for reports; not copied */
    size_t object_bytes;        /* 1 to 64 KiB */
    size_t align_bytes;         /* a power of two up to 4096; 0: what the size needs, at most 16 */
    size_t objects_max;         /* then gca_pool_get() fails; 0: no limit */
    void (*drop)(void *object); /* called by gca_pool_free() for each object that is still out; or NULL */
} gca_pool_options;

/* All of its objects go. NULL is allowed. */
void gca_pool_free(gca_pool *pool) GCA_DROPS(pool, 1);

/* NULL and errno: EINVAL for a wrong size or alignment, ENOMEM. */
gca_pool *gca_pool_new(const gca_pool_options *options) GCA_OWNED_OUTSIDE(gca_pool_free) __attribute__((warn_unused_result));

/* An object, which holds anything; or NULL and ENOMEM. */
void *gca_pool_get(gca_pool *pool) GCA_READS(pool) GCA_FRESH __attribute__((warn_unused_result));

/* Gives it back. NULL is allowed; an object that is no one of the pool's, or is back already, is reported. */
void gca_pool_put(gca_pool *pool, void *object) GCA_READS(pool) GCA_DROPS(object, 2);

typedef struct gca_pool_stats {
    size_t objects;        /* out now */
    size_t object_bytes;   /* of each, what alignment takes included */
    size_t align_bytes;
    size_t capacity;       /* objects there is room for in the memory it has */
    size_t capacity_bytes;
    size_t chunks;
} gca_pool_stats;

void gca_pool_get_stats(const gca_pool *pool, gca_pool_stats *stats_out) GCA_READS(pool);

/* The pool that an address lies in, or NULL. */
gca_pool *gca_pool_of(const void *address);

/* ---- handles ---- */

/* Means an object as long as it is in the table, and nothing for ever after. All zero means nothing. */
typedef struct gca_handle {
    uint64_t word; /* generation 32, index 32 */
} gca_handle;

typedef struct gca_handle_entry {
    void *object;
    uint32_t generation; /* of the handle that means the object now */
    uint32_t next_free;
} gca_handle_entry;

/* What the inline lookup needs; the rest of a table is its own. */
typedef struct gca_handles {
    gca_handle_entry *entries;
    size_t count;
} gca_handles;

/* All handles of it are good for nothing, not even for asking. NULL is allowed. */
void gca_handles_free(gca_handles *table) GCA_DROPS(table, 1);

/* A table for at most entries_max objects at once; 0: four thousand million. NULL and ENOMEM when memory is short. */
gca_handles *gca_handles_new(size_t entries_max) GCA_OWNED_OUTSIDE(gca_handles_free) __attribute__((warn_unused_result));

/* A handle for the object, which is not NULL. All zero and errno ENOMEM when memory is short or the table full. */
gca_handle gca_handle_add(gca_handles *table, void *object) GCA_READS(table) __attribute__((warn_unused_result));

/* The object, or NULL when the handle is stale. */
static inline void *gca_handle_get(const gca_handles *table, gca_handle handle)
{
    size_t index = (uint32_t)handle.word;
    if (__builtin_expect(index >= table->count || table->entries[index].generation != handle.word >> 32, 0))
        return NULL;
    return table->entries[index].object;
}

/* Takes the object out of the table, and returns it; NULL when the handle is stale. */
void *gca_handle_remove(gca_handles *table, gca_handle handle) GCA_READS(table) GCA_FRESH;

/* The handle means another object from now on, as when it was moved. Returns the former one; NULL when the handle is stale. */
void *gca_handle_replace(gca_handles *table, gca_handle handle, void *object) GCA_READS(table) GCA_FRESH;

/* Objects in the table now. */
size_t gca_handles_count(const gca_handles *table) GCA_READS(table);

#ifdef __cplusplus
}
#endif

#ifdef GCA_CHECK
#define GCA_CHECK_POOL_
#include <gcalloc/check.h>
#endif

#endif
