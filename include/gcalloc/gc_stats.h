/*
 * gcalloc/gc_stats.h: what the collector says: pauses, pressure, statistics.
 *
 * Every function here may be called from any thread at any time after the program's first malloc, except from signal
 * handlers. Part of gcalloc/gc.h.
 */
#ifndef GCALLOC_GC_STATS_H
#define GCALLOC_GC_STATS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Called around each time that threads stand still for a collection, by the thread that collects, while all of them run:
 * with is_end false and 0 before, and with how long it was, in nanoseconds, after. Pauses that the helper makes, which collects
 * beside the program, are counted and traced, but not told of: it can run none of the program's code. Must not allocate, free, or call
 * anything of gcalloc's.
 */
typedef void gca_pause_callback(bool is_end, uint64_t pause_ns, void *data);

/*
 * Sets who is told of pauses, in place of who was; NULL: nobody. A call under way in another thread may still be of the
 * former.
 */
void gca_pause_callback_set(gca_pause_callback *callback, void *data);

/* How short memory is, in the machine or in the container that the process is in. */
typedef enum gca_pressure_level {
    GCA_PRESSURE_NONE,
    GCA_PRESSURE_SOME,     /* give up what is easy to get again */
    GCA_PRESSURE_CRITICAL, /* give up what you can */
} gca_pressure_level;

/*
 * Called when memory has become short, and every second or so while that lasts and the program allocates: by any thread,
 * inside a call of malloc or its kin, so it must not wait for a lock that is held around one. It may free; what it allocates
 * should be little.
 */
typedef void gca_pressure_callback(gca_pressure_level level, void *data);

/*
 * Adds a function to those called, or removes it; the data tells the same function apart. Return 0; -ENOMEM when there are
 * 16 already, -ENOENT for what was not added. A call under way in another thread may go on after it is removed.
 */
int gca_pressure_callback_add(gca_pressure_callback *callback, void *data);
int gca_pressure_callback_remove(gca_pressure_callback *callback, void *data);

/*
 * How short memory is now, by the kernel's files; calls the functions if it is. With the option gc that happens by itself
 * while the heap grows; without, or in a program that does not allocate, this is the way. Opens files: not in a sandbox.
 */
gca_pressure_level gca_pressure_now(void);

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
