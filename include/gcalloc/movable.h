/*
 * gcalloc/movable.h: objects that are reached by handles only, so that they can be moved together when memory has become full of
 * holes. See gcalloc_pool(3).
 *
 * A table belongs to one thread at a time; that is the program's to see to.
 */
#ifndef GCALLOC_MOVABLE_H
#define GCALLOC_MOVABLE_H

#include <gcalloc/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gca_movables gca_movables;

/* For at most objects_max objects at once; 0: four thousand million. NULL and ENOMEM when memory is short. */
gca_movables *gca_movables_new(size_t objects_max) __attribute__((warn_unused_result));

/* All of its objects go. NULL is allowed. */
void gca_movables_free(gca_movables *table);

/* An object, all zero, aligned for any. All zero and errno ENOMEM when memory is short or the table full. */
gca_handle gca_movable_new(gca_movables *table, size_t size_bytes) __attribute__((warn_unused_result));

/* The object goes. False when the handle is stale. */
bool gca_movable_free(gca_movables *table, gca_handle handle);

/* Where the object is until the next gca_movables_compact(); NULL when the handle is stale. */
void *gca_movable_get(const gca_movables *table, gca_handle handle);

/* The same, and there it stays until as many gca_movable_unpin(); one too many is reported. */
void *gca_movable_pin(gca_movables *table, gca_handle handle);
void gca_movable_unpin(gca_movables *table, gca_handle handle);

/*
 * Copies objects that are not pinned out of the memory that holes have become many in, and gives that back. Returns how many bytes it gave
 * back. When memory is short it does less.
 */
size_t gca_movables_compact(gca_movables *table);

typedef struct gca_movable_stats {
    size_t objects;
    size_t object_bytes;    /* of them all, their notes included */
    size_t capacity_bytes;  /* of the memory they are in */
    size_t pins;
    size_t chunks;
    size_t compactions;
    size_t moved_objects;   /* by all of them */
    size_t moved_bytes;
    unsigned hole_permille_before; /* of the memory, what no object was in, before the latest compaction */
    unsigned hole_permille_after;
} gca_movable_stats;

void gca_movables_get_stats(const gca_movables *table, gca_movable_stats *stats_out);

#ifdef __cplusplus
}
#endif

#endif
