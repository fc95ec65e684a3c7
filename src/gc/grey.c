/*
 * gc/grey: where blocks are that are marked and still to be scanned, but in no worklist.
 *
 * Units are taken around and around. A flag goes before the unit's blocks are looked at, so one that turns grey meanwhile is found
 * again, and the worst is that a block is scanned twice.
 *
 * Uses base. Locks: its own, innermost.
 */
#include "gc/grey.h"

#include "base/lock.h"
#include "gc/area.h"

#include <errno.h>
#include <string.h>

enum { TAKEN_UNITS = 64 };

uint8_t *grey_units;
_Atomic bool grey_any;

static struct area area;
static struct lock lock;
static size_t count;
static size_t next; /* from here on the next look begins */

int grey_prepare(size_t unit_count)
{
    lock_reset(&lock); /* in the child of a fork a marker that is not there may have it */
    count = 0;
    if (area_need(&area, unit_count) != 0)
        return -ENOMEM;
    grey_units = (uint8_t *)area.start;
    count = unit_count;
    next = 0;
    if (count != 0)
        memset(grey_units, 0, count);
    grey_any = false;
    return 0;
}

static size_t find(size_t from, size_t end)
{
    const uint8_t *found = from < end ? memchr(grey_units + from, 1, end - from) : NULL;
    return found == NULL ? end : (size_t)(found - grey_units);
}

bool grey_take(size_t *first_out, size_t *end_out)
{
    lock_take(&lock);
    size_t first = find(next, count);
    if (first == count) {
        size_t wrapped = find(0, next);
        first = wrapped == next ? count : wrapped;
    }
    bool is_found = first < count;
    if (is_found) {
        *first_out = first;
        *end_out = count - first > TAKEN_UNITS ? first + TAKEN_UNITS : count;
        next = *end_out;
    }
    grey_any = is_found;
    lock_release(&lock);
    return is_found;
}

size_t grey_next(size_t unit, size_t end)
{
    unit = find(unit, end);
    if (unit < end)
        __atomic_exchange_n(&grey_units[unit], 0, __ATOMIC_SEQ_CST);
    return unit;
}
