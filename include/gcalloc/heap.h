/*
 * gcalloc/heap.h: the heap of a program that runs on gcalloc.
 *
 * Every function here may be called from any thread at any time after the program's first malloc, except from signal
 * handlers. None of them moves a block, and none changes what malloc, free and their kin do.
 */
#ifndef GCALLOC_HEAP_H
#define GCALLOC_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library as "major.minor.patch". The string is static. */
const char *gca_version(void);

/*
 * What the heap holds, counted when asked. Sizes are bytes. While other threads allocate, the figures of different
 * spans are read at slightly different moments; each single figure is a value that was true.
 */
typedef struct gca_heap_stats {
    uint64_t blocks;              /* blocks allocated now */
    uint64_t allocated_bytes;     /* usable bytes of those blocks */
    uint64_t large_blocks;        /* of them, blocks beyond the largest size class (16 KiB) */
    uint64_t large_bytes;
    uint64_t free_slot_bytes;     /* slots of live spans that are free or wait in a thread's buffer */
    uint64_t dirty_bytes;         /* free units that still hold pages */
    uint64_t span_bytes;          /* address space of all live spans and large blocks */
    uint64_t committed_bytes;     /* made accessible to the program, touched or not */
    uint64_t metadata_bytes;      /* descriptors, bit arrays, buffers */
    uint64_t reserved_bytes;      /* the reservation, most of it never touched */
    uint64_t spans;
    uint64_t threads;             /* thread heaps in use */
    uint64_t parked_threads;      /* thread heaps of exited threads, waiting for a new thread */
    uint64_t purged_bytes;        /* returned to the kernel since the start */
    uint64_t moved_bytes;         /* moved by page table instead of copied, in realloc */
    uint64_t chunks;              /* of arenas and pools; they are no blocks */
    uint64_t chunk_bytes;
} gca_heap_stats;

/* Fills *stats_out. Returns 0, or -EINVAL when stats_out is NULL. Takes internal locks; never allocates. */
int gca_heap_get_stats(gca_heap_stats *stats_out);

/* One row a size class. */
typedef struct gca_class_stats {
    uint32_t slot_bytes;
    uint32_t spans;
    uint64_t slots;               /* in all spans of the class */
    uint64_t blocks;              /* of them allocated */
} gca_class_stats;

/*
 * Fills up to row_count rows, smallest class first. Returns the number of size classes, which may be more than
 * row_count; rows may be NULL when row_count is 0. Takes internal locks; never allocates.
 */
size_t gca_heap_get_class_stats(gca_class_stats *rows, size_t row_count);

/* Returns to the kernel every free page that can be found without stopping other threads. Returns the bytes returned. */
size_t gca_trim(void);

/* True when the pointer is the start of a block now allocated from this heap. */
bool gca_is_block(const void *pointer);

/* True when the address lies in the heap's reservation, allocated or not. */
bool gca_is_ours(const void *pointer);

/* Usable bytes of the block that starts at pointer; 0 for NULL, a foreign pointer or one that starts no allocated block. */
size_t gca_usable_size(const void *pointer);

/*
 * The start of the allocated block that the address lies in (interior pointers count), or NULL. The block's usable
 * size goes to *size_bytes_out unless that is NULL.
 */
void *gca_block_of(const void *address, size_t *size_bytes_out);

/*
 * Like malloc, for blocks that will never hold a pointer: the collector does not scan them. Freed with free().
 * Returns NULL and sets errno to ENOMEM when memory is short.
 */
void *gca_alloc_leaf(size_t size_bytes);

/*
 * Calls visit(block, usable size, context) for every allocated block, in address order, until visit returns false.
 * Other threads should be quiet: blocks they allocate or free meanwhile may be seen or missed. visit must not allocate
 * or free. Returns the number of blocks visited.
 */
size_t gca_heap_walk(bool (*visit)(void *block, size_t size_bytes, void *context), void *context);

/*
 * Walks every table of the heap and checks every invariant. Returns 0, or -EUCLEAN after one report line for the first
 * broken one. While other threads have allocated and still run, what they change without a lock is left out.
 */
int gca_heap_verify(void);

#ifdef __cplusplus
}
#endif

#endif
