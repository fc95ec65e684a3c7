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

#include <stdbool.h>
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

/* What collections are to save. */
typedef enum gca_gc_mode {
    GCA_GC_BALANCED,   /* up to two and a half times of what lives, for little time */
    GCA_GC_THROUGHPUT, /* time, for up to three or more times of what lives */
    GCA_GC_LATENCY,    /* pauses: short and often */
    GCA_GC_MEMORY,     /* memory, for time */
    GCA_GC_TRAINING,   /* collect with gca_collect() between batches; by itself only when the heap is five times as large */
    GCA_GC_INFERENCE,  /* small pauses of much the same length */
} gca_gc_mode;

/* How the collector goes about it. A value of 0 stands for the mode's. */
typedef struct gca_gc_settings {
    uint64_t mode;               /* a gca_gc_mode */
    uint64_t growth_percent;     /* the heap may grow by this percentage of what lived, up to 10000 */
    uint64_t growth_min_bytes;   /* but by no less than about this; less where collections cost next to nothing */
    uint64_t young_bytes;        /* allocated between collections of young blocks */
    uint64_t threads;            /* that mark at once, at most; up to 256 */
    uint64_t pause_us;           /* that threads should stand still at most */
    uint64_t throughput_percent; /* of its time that the program should have, up to 99: else the heap may grow further */
    uint64_t heap_limit_bytes;   /* what blocks may take, with free pages that are kept; 0 is no limit */
} gca_gc_settings;

/*
 * Takes these settings from now on, in place of the options'. Returns 0, or -EINVAL with nothing changed when a value is out
 * of range or settings is NULL. The limit holds without the option gc as well: malloc then fails with ENOMEM, after a full
 * collection that did not help. What is allocated beyond a new limit stays.
 */
int gca_gc_configure(const gca_gc_settings *settings);

/* Fills *settings_out with what holds now, the mode's values in place. Returns 0 or -EINVAL when it is NULL. */
int gca_gc_get_settings(gca_gc_settings *settings_out);

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

/*
 * A reference that does not hold the block it refers to: a small block of its own. It is cleared when the block is freed,
 * by free(), by a realloc() that moves it, or by a collection that finds it unreached. In a collection all references to a
 * block are cleared at once, before its finalizer runs. Release a reference with free(), or lose it.
 */
typedef struct gca_weak_ref gca_weak_ref;

/*
 * A reference to the allocated block that the address lies in. Works without the option gc as well. Returns NULL with errno
 * EINVAL when the address is in no block of malloc's (foreign, freed, or in an arena or pool), ENOMEM. Thread-safe; may
 * collect, as malloc may.
 */
gca_weak_ref *gca_weak_ref_new(void *address);

/*
 * The address the reference was made with, which holds the block from then on as any pointer does; or NULL when the block
 * is gone. Thread-safe against collections, takes no lock; against a free() in another thread it is as safe as any other use
 * of the block.
 */
void *gca_weak_ref_get(const gca_weak_ref *ref);

/* Called with a block that nothing leads to any more, and with what was given for it. May allocate, free, collect. */
typedef void gca_finalizer(void *block, void *data);

/* When a finalizer may run in relation to those of other blocks. */
typedef enum gca_finalizer_order {
    /*
     * Only when no other block that waits for its finalizer leads to this one: an owner goes before what it owns. Of a
     * chain each link takes a collection. In a cycle the block whose finalizer was set first goes first.
     */
    GCA_FINALIZE_OWNERS_FIRST,
    /* In the same collection as all others of this kind, in the order in which they were set. */
    GCA_FINALIZE_TOGETHER,
} gca_finalizer_order;

/*
 * Sets the finalizer of the block, in place of one that it has; a function of NULL takes it back. A collection that finds
 * the block unreached puts it into a list and keeps it, and all that it leads to, until gca_finalizers_run() has called the
 * function. If that makes the block reachable again, it stays; a finalizer that is to run once more must be set again.
 * What free() frees, and what lives at the program's end, is not finalized; a realloc() that moves a block, or fails to,
 * takes its finalizer away. `data` is held as long as the finalizer is set: if it leads to the block, the block lives for
 * ever. Returns 0; -EINVAL when no block of malloc's starts there, -ENOENT when there was none to take back, -ENOMEM.
 */
int gca_finalizer_set(void *block, gca_finalizer *function, void *data, gca_finalizer_order order);

/*
 * Calls up to count_max finalizers that are ready, oldest first, on the calling thread. Nobody else calls any: a program
 * decides where they run, in its event loop or in a thread of its own. Returns how many were called.
 */
size_t gca_finalizers_run(size_t count_max);

/*
 * Waits until finalizers are ready, for timeout_ns nanoseconds at most; UINT64_MAX waits for ever, 0 only asks. Returns how
 * many are ready.
 */
size_t gca_finalizers_wait(uint64_t timeout_ns);

/*
 * Called around each time that threads stand still for a collection, by the thread that collects, while all of them run:
 * with is_end false and 0 before, and with how long it was, in nanoseconds, after. Must not allocate, free, or call
 * anything of gcalloc's.
 */
typedef void gca_pause_callback(bool is_end, uint64_t pause_ns, void *data);

/*
 * Sets who is told of pauses, in place of who was; NULL: nobody. A call under way in another thread may still be of the
 * former.
 */
void gca_pause_callback_set(gca_pause_callback *callback, void *data);

/* Pauses in bucket i of gca_gc_stats.pause_buckets took less than 2^i microseconds, and at least half as much. */
#define GCA_PAUSE_BUCKETS 24

/* Collections of a kind: of young blocks, allocated since the one before, or of all. */
typedef struct gca_gc_kind_stats {
    uint64_t collections;
    uint64_t candidate_bytes;     /* of the blocks they looked at */
    uint64_t freed_blocks;
    uint64_t freed_bytes;
    uint64_t time_ns;             /* from beginning to end, the program running for most of it or not */
    uint64_t survived_permille;   /* in the latest: bytes that lived, of 1000 it looked at */
} gca_gc_kind_stats;

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
    gca_gc_kind_stats young;
    gca_gc_kind_stats full;
    uint64_t pauses;
    uint64_t pause_buckets[GCA_PAUSE_BUCKETS]; /* the last also counts all that were longer */
    uint64_t allocated_bytes;     /* that collections found to be new; what was freed before they came is not in it */
    uint64_t allocation_rate;     /* the same between the latest two, in bytes a second */
    uint64_t heap_bytes;          /* that blocks and the space between them take now */
    uint64_t fragmented_permille; /* bytes of 1000 in heap_bytes that are no block now */
} gca_gc_stats;

/* Fills *stats_out. Returns 0, or -EINVAL when stats_out is NULL. Waits for no collection; never allocates. */
int gca_gc_get_stats(gca_gc_stats *stats_out);

#ifdef __cplusplus
}
#endif

#endif
