/*
 * heap/kept: a few of the smaller large blocks that a thread has freed, kept as they are.
 *
 * Descriptors and all, but marked free: a program that takes and frees such blocks over and over needs no lock and no search
 * for them. They are the calling thread's alone. No lock is held.
 */
#ifndef HEAP_KEPT_H
#define HEAP_KEPT_H

#include "heap/thread.h"

#include <stdbool.h>
#include <stddef.h>

struct unit;

/* Keeps the block, whose state says free already. False when it is too large or enough are kept. `heap` may be NULL. */
bool kept_add(struct thread_heap *heap, struct unit *first);

/* A kept block that has what this size needs, or an eighth more; or NULL. */
void *kept_take(struct thread_heap *heap, size_t size_bytes, bool zeroed);

static inline bool kept_any(const struct thread_heap *heap)
{
    return heap->kept_units != 0;
}

/* Before so many units are taken in pages that hold nothing yet: kept ones go back for it. */
void kept_make_room(struct thread_heap *heap, size_t unit_count);

/* Gives up all of them. */
void kept_flush(struct thread_heap *heap);

/* The same for a thread that vanished in a fork, maybe in the middle of a change: what can't be told stays taken. */
void kept_flush_orphan(struct thread_heap *heap);

#endif
