/*
 * gcalloc/finalize.h: weak references, and functions called when a block is lost.
 *
 * Every function here may be called from any thread at any time after the program's first malloc, except from signal
 * handlers. Part of gcalloc/gc.h.
 */
#ifndef GCALLOC_FINALIZE_H
#define GCALLOC_FINALIZE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif
