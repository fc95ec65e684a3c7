/*
 * heap/guard: some blocks, chosen at random, have pages of their own between pages that can't be accessed.
 *
 * With the option guard_sample=N one allocation of N, on average, is such a block: every allocation takes a slow path then and counts down
 * to the next. The block lies at the end of its pages, or at their start, and what it leaves of them is filled with a pattern that free()
 * looks at. A freed one can't be accessed at all until many others have been freed. So what goes beyond it, or comes after free(), faults or
 * is found; preload/fault says what it was.
 *
 * Such a block is a large one (heap/large.h) of some units whose span says guarded_bytes: it begins where the block does, somewhere in
 * the run. Thread-safe.
 */
#ifndef HEAP_GUARD_H
#define HEAP_GUARD_H

#include "base/compiler.h"
#include "heap/sizes.h"
#include "heap/span.h"
#include "heap/thread.h"

#include <stddef.h>
#include <stdint.h>

enum { GUARDED_BYTES_MAX = 65536 };

/* The slow half of guard_take(). */
void *guard_allocate(struct thread_heap *heap, size_t size_bytes, size_t align_bytes);

/*
 * A guarded block that reads as zero, aligned to a power of two, when this allocation is one of those chosen; NULL when it is not, or can't be. It has
 * been told to the recorder. 0 bytes count as 1.
 */
static inline void *guard_take(size_t size_bytes, size_t align_bytes)
{
    if (LIKELY(class_rule.guard_mean == 0))
        return NULL;
    struct thread_heap *heap = thread_heap_peek();
    if (UNLIKELY(heap == NULL) || LIKELY(--heap->guard_left > 0))
        return NULL;
    return guard_allocate(heap, size_bytes, align_bytes);
}

/*
 * free() of the block is recorded, and what has been written beside it is reported. Nobody else can free it any more. Returns only if the
 * program is to go on.
 */
void guard_freed(const struct span *span, void *caller);

/* A freed block loses its pages and can't be accessed. False, with the block as it was, where the program has locked the pages. */
bool guard_protect(struct span *span);

/* A freed block, protected or not, is nobody's, and may be used again when many others have been freed. */
void guard_retire(struct span *span);

/* Both. */
void guard_end(struct span *span);

/* What is kept of freed blocks goes back: memory is short. */
void guard_give_back(void);

/* Inside large_lock(), outside the run lock. Around a fork. */
void guard_lock(void);
void guard_unlock(void);
void guard_lock_reset(void);

#endif
