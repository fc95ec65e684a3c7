/*
 * heap/collector: what the heap asks of a collector, if there is one.
 *
 * The heap knows none; one that wants to be asked says so here, once, before there is a second thread. The questions come from slow
 * paths, without any of the heap's locks, and may collect: the calling thread's buffers and spans may differ afterwards.
 */
#ifndef HEAP_COLLECTOR_H
#define HEAP_COLLECTOR_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct heap_collector {
    /* An allocation takes a slow path. May be NULL. */
    void (*allocating)(void);
    /* The heap is about to take so many units more. Returns true when there may be free slots again. */
    bool (*growing)(size_t unit_count);
    /* Its own locks, outside of all the heap's, around a fork; a child starts with fresh ones. */
    void (*lock)(void);
    void (*unlock)(void);
    void (*lock_reset)(void);
    /* Memory is short: the next thing is NULL for the program. */
    void (*exhausted)(void);
    /* realloc, or another function of ours, has written there what something else still holds. May be NULL. */
    void (*copied)(const void *start, size_t size_bytes);
};

/* NULL, or the one that was registered. */
extern const struct heap_collector *heap_collector;

/* The same for who finds out when freed blocks may be used again: see heap/limbo.h. */
struct heap_quarantine {
    /* So many bytes more are held, together so many since the last turn. No lock is held. */
    void (*held)(size_t more_bytes, size_t since_turn_bytes);
    /* Memory is short: what is held and pointed to by nothing should be free afterwards. */
    void (*exhausted)(void);
    /* Its own locks, outside of the collector's, around a fork. */
    void (*lock)(void);
    void (*unlock)(void);
    void (*lock_reset)(void);
};

extern const struct heap_quarantine *heap_quarantine;

static inline void heap_collector_allocating(void)
{
    if (UNLIKELY(heap_collector != NULL) && heap_collector->allocating != NULL)
        heap_collector->allocating();
}

static inline bool heap_collector_growing(size_t unit_count)
{
    return UNLIKELY(heap_collector != NULL) && heap_collector->growing(unit_count);
}

static inline void heap_collector_copied(const void *start, size_t size_bytes)
{
    if (UNLIKELY(heap_collector != NULL) && heap_collector->copied != NULL)
        heap_collector->copied(start, size_bytes);
}

/* The same of one address, which nothing else need hold. */
static inline void heap_collector_stored(const void *place, const void *value)
{
    heap_collector_copied(place, sizeof value);
    HOLD(value);
}

static inline void heap_collector_exhausted(void)
{
    if (heap_collector != NULL)
        heap_collector->exhausted();
    if (heap_quarantine != NULL)
        heap_quarantine->exhausted();
}

#endif
