/*
 * leak/grown: an array that grows, in memory of its own.
 *
 * Nobody hides it from the scan of the roots, so it is given back before the next one. Uses os. Locks: none.
 */
#ifndef LEAK_GROWN_H
#define LEAK_GROWN_H

#include "os/memory.h"

#include <errno.h>
#include <stddef.h>

struct grown {
    void *start;
    size_t size_bytes;
};

/* Makes room; what it holds stays, what is new is zero. Returns 0 or -ENOMEM. */
static inline int grown_need(struct grown *grown, size_t size_bytes)
{
    size_t wanted = grown->size_bytes != 0 ? grown->size_bytes : 16 * os_page_bytes();
    while (wanted < size_bytes)
        wanted *= 2;
    if (wanted == grown->size_bytes)
        return 0;
    int result = os_working_area(&grown->start, grown->size_bytes, wanted);
    if (result == 0)
        grown->size_bytes = wanted;
    return result;
}

static inline void grown_drop(struct grown *grown)
{
    if (grown->size_bytes != 0)
        os_unreserve(grown->start, grown->size_bytes);
    *grown = (struct grown){NULL, 0};
}

#endif
