/*
 * gcalloc/gc.h: the collector of a program that runs on gcalloc with the option gc.
 *
 * The collector frees blocks that the program can no longer reach; free() goes on working, at once. It never moves a
 * block. What counts as reaching a block, and what the collector cannot see, is told in gcalloc(7).
 *
 * Every function here may be called from any thread at any time after the program's first malloc, except from signal
 * handlers. Without the option gc they do no harm.
 */
#ifndef GCALLOC_GC_H
#define GCALLOC_GC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Frees every block that cannot be reached now, also while collecting is disabled. Returns 0, or -errno with nothing
 * freed: -EOPNOTSUPP without the option gc, -EAGAIN when some thread could not be stopped, -ENOMEM, or what the kernel
 * said when some memory could not be looked at.
 */
int gca_collect(void);

/*
 * Collections that nobody asked for do not begin while this was called more often than gca_gc_enable(). One that is under
 * way in another thread goes on. When memory runs out there still is one before malloc returns NULL.
 */
void gca_gc_disable(void);

/* Undoes one gca_gc_disable(). */
void gca_gc_enable(void);

/*
 * The block that the address lies in is not freed by the collector while it is pinned, nor what it leads to: for
 * addresses that are kept where the collector does not see them. Pins count: as many gca_unpin() undo them. Return 0,
 * -ENOMEM, and gca_unpin() -ENOENT for an address that is not pinned.
 */
int gca_pin(const void *address);
int gca_unpin(const void *address);

/*
 * Memory that the collector would not look at by itself, to be searched for addresses of blocks from now on; it must stay
 * readable until removed. Everything that the process has mapped is searched anyway. Return 0, -ENOMEM, and
 * gca_roots_remove() -ENOENT for a start that was not added.
 */
int gca_roots_add(const void *start, size_t size_bytes);
int gca_roots_remove(const void *start);

/* What the collector has done so far in this process. Times are nanoseconds. */
typedef struct gca_gc_stats {
    uint64_t collections;
    uint64_t abandoned;           /* begun, but a thread could not be stopped or some memory not be read */
    uint64_t freed_blocks;        /* by the collector alone, in all collections */
    uint64_t freed_bytes;
    uint64_t live_blocks;         /* after the latest collection */
    uint64_t live_bytes;
    uint64_t pause_ns_total;      /* while threads were stopped */
    uint64_t pause_ns_max;
    uint64_t pause_ns_last;
    uint64_t mark_ns_total;       /* of it, for finding what can be reached */
    uint64_t scanned_bytes;       /* of blocks, in all collections */
} gca_gc_stats;

/* Fills *stats_out. Returns 0, or -EINVAL when stats_out is NULL. Waits for a collection under way; never allocates. */
int gca_gc_get_stats(gca_gc_stats *stats_out);

#ifdef __cplusplus
}
#endif

#endif
