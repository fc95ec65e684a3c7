/*
 * heap/recorder: who wants to know of every block that is handed out, if anybody does.
 *
 * The heap knows none; one that wants to be told says so here, before there is a second thread. From then on every
 * allocation takes a slow path, which tells it; free() is as fast as ever, but with the option lifetimes.
 */
#ifndef HEAP_RECORDER_H
#define HEAP_RECORDER_H

#include "base/compiler.h"
#include "heap/unit.h"

#include <stddef.h>

struct span;

struct heap_recorder {
    /*
     * The calling thread has got this block, or resized it in place; the program asked for size_bytes. No lock is held. Must
     * not allocate. NULL: only guarded ones matter.
     */
    void (*allocated)(void *block, size_t size_bytes);
    /* The same of a block between guard pages (heap/guard.h), whatever else is recorded. */
    void (*guarded)(void *block, size_t size_bytes);
    /* A collector frees the block in this slot, which nobody has got yet, 0 of a large block's span. One thread at a time. */
    void (*reclaimed)(const struct span *span, size_t index);
    /* The calling thread frees the block, which will be held (heap/limbo.h) or is guarded. Likewise. May be NULL. */
    void (*freed)(void *block);
    /* With heap_layout.tells_freed: the calling thread frees the block, whatever becomes of it. Likewise; before freed. */
    void (*ending)(void *block);
};

/* NULL, or the one that was registered. */
extern const struct heap_recorder *heap_recorder;

void heap_recorder_register(const struct heap_recorder *recorder);

/* For every block that a slow path hands out, or that changes its size where it is. Returns the block; NULL is nobody's. */
static inline void *heap_recorded(void *block, size_t size_bytes)
{
    if (UNLIKELY(heap_recorder != NULL) && block != NULL && heap_recorder->allocated != NULL)
        heap_recorder->allocated(block, size_bytes);
    return block;
}

static inline void *heap_recorded_guarded(void *block, size_t size_bytes)
{
    if (heap_recorder != NULL && block != NULL)
        heap_recorder->guarded(block, size_bytes);
    return block;
}

static inline void heap_record_end(void *block)
{
    if (UNLIKELY(heap_layout.tells_freed) && heap_recorder != NULL && heap_recorder->ending != NULL)
        heap_recorder->ending(block);
}

static inline void heap_record_free(void *block)
{
    heap_record_end(block);
    if (UNLIKELY(heap_recorder != NULL) && heap_recorder->freed != NULL)
        heap_recorder->freed(block);
}

#endif
