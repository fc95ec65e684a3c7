/*
 * gc/area: memory of the collector's own, beside the heap's reservation.
 *
 * Uses os, base. Locks: none.
 */
#include "gc/area.h"

#include "base/bits.h"
#include "gc/roots.h"
#include "os/memory.h"

#include <errno.h>
#include <stdbool.h>

enum { AREA_ALIGN_BYTES = 65536, HUGE_BYTES = 2 * 1024 * 1024 };

int area_need(struct area *area, size_t size_bytes)
{
    if (size_bytes <= area->size_bytes)
        return 0;
    if (area->size_bytes != 0) {
        roots_unhide(area->start);
        os_unreserve(area->start, area->size_bytes);
    }
    area->start = NULL;
    area->size_bytes = 0;
    bool is_huge = area->is_random && size_bytes >= HUGE_BYTES;
    size_t align_bytes = is_huge ? HUGE_BYTES : AREA_ALIGN_BYTES;
    size_t wanted_bytes = round_up(size_bytes, align_bytes);
    void *start;
    if (os_reserve(wanted_bytes, align_bytes, &start) != 0)
        return -ENOMEM;
    if (os_commit(start, wanted_bytes) != 0 || roots_hide(start, wanted_bytes) != 0) {
        os_unreserve(start, wanted_bytes);
        return -ENOMEM;
    }
    if (is_huge)
        os_set_huge_pages(start, wanted_bytes, true);
    area->start = start;
    area->size_bytes = wanted_bytes;
    return 0;
}

void area_trim(struct area *area, size_t kept_bytes)
{
    size_t kept = round_up(kept_bytes, os_page_bytes());
    if (kept < area->size_bytes)
        os_purge(area->start + kept, area->size_bytes - kept);
}
