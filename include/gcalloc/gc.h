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

#include <gcalloc/finalize.h>
#include <gcalloc/gc_stats.h>

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
 * Frees what cannot be reached of the blocks allocated since the last collection, for a cost that follows what was allocated
 * and written since, not the heap's size. Other threads run meanwhile but for short pauses; the caller waits. Where it is not
 * known what was written since the last collection this one is of all blocks, and where writes cannot be tracked at all it
 * is gca_collect(). Returns as that does.
 */
int gca_collect_young(void);

/*
 * Collects all blocks step by step, for programs that know when they have time. Works for about budget_us microseconds of
 * processor time, at least for one piece of work (some are of a millisecond or more where the heap is large), on a
 * collection that it begins if none is under way; the caller waits. Returns 1 when that collection has come to its end, 0 when there is more to do, -errno
 * when it came to nothing, as gca_collect(). Other threads run meanwhile, the caller between its steps, and what is allocated
 * during a collection is not freed by it. One that is not stepped on goes on by itself when the heap has grown far enough. Where
 * writes cannot be tracked the first step does all the work.
 */
int gca_step(uint64_t budget_us);

/* What collections are to save. */
typedef enum gca_gc_mode {
    GCA_GC_BALANCED,   /* up to two and a half times of what lives, for little time */
    GCA_GC_THROUGHPUT, /* time, for up to three or more times of what lives */
    GCA_GC_LATENCY,    /* pauses: short and often */
    GCA_GC_MEMORY,     /* memory, for time */
    GCA_GC_TRAINING,   /* collect with gca_collect() between batches; by itself only when the heap is five times as large */
    GCA_GC_INFERENCE,  /* small pauses of much the same length */
} gca_gc_mode;

/* Who says where the program writes addresses, which collections beside the program and of young blocks need to know. */
typedef enum gca_gc_tracking {
    GCA_GC_TRACKING_KERNEL = 1, /* write protection of pages, if the kernel lets us */
    GCA_GC_TRACKING_PROGRAM,    /* the program itself, with gca_write_barrier() */
} gca_gc_tracking;

/* How the collector goes about it. A value of 0 stands for the mode's. */
typedef struct gca_gc_settings {
    uint64_t mode;               /* a gca_gc_mode */
    uint64_t growth_percent;     /* the heap may grow by this percentage of what lived, up to 10000 */
    uint64_t growth_min_bytes;   /* but by no less than about this; less where collections cost next to nothing */
    uint64_t young_bytes;        /* allocated between collections of young blocks, or a sixteenth of the heap if that is more */
    uint64_t threads;            /* that mark at once, at most; up to 256 */
    uint64_t pause_us;           /* that threads should stand still at most */
    uint64_t throughput_percent; /* of its time that the program should have, up to 99: else the heap may grow further */
    uint64_t tracking;           /* a gca_gc_tracking; 0 is the kernel's, whatever the mode */
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
 * For programs that say themselves where they write (GCA_GC_TRACKING_PROGRAM, or the option gc_tracking=program): to be called
 * after each store of a block's address, or of a value that holds one, into memory that gcalloc has handed out, by the thread that
 * stored it and with the same value. Static data, stacks and the program's own mappings need none, nor does what realloc() copies. A few instructions; also
 * in signal handlers. Where one is missing a block may be freed too early. Where writes can be tracked (Linux 6.7, and no
 * filter forbids userfaultfd) this gains little; elsewhere collections beside the program, of young blocks and in steps need it.
 */
void gca_write_barrier(const void *place, const void *value);

/*
 * The same for several addresses at once, as after memcpy(): what was stored must be held by something else than what was overwritten
 * until this has returned.
 */
void gca_write_barrier_range(const void *start, size_t size_bytes);

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

#ifdef __cplusplus
}
#endif

#endif
