/*
 * gc/pinned: what a program adds to the roots: ranges of memory, and blocks.
 *
 * Ranges are few: a plain array. Pins may be many: a hash table of address and count, which is itself what is scanned.
 * Both are metadata, which no scan reads otherwise, since pins that were taken back would still stand there.
 *
 * Locks: its own, then the metadata lock.
 */
#include "gc/pinned.h"

#include "base/image.h"
#include "base/lock.h"
#include "gc/roots_tables.h"
#include "heap/metadata.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { RANGES_MIN = 16, PINS_MIN = 64 };

static struct lock tables_lock;
struct pinned pinned;

void roots_lock(void)
{
    lock_take(&tables_lock);
}

void roots_unlock(void)
{
    lock_release(&tables_lock);
}

void roots_lock_reset(void)
{
    lock_reset(&tables_lock);
}

static int add_range(const void *start, size_t size_bytes)
{
    if (pinned.range_count == pinned.range_room) {
        size_t room = pinned.range_room == 0 ? RANGES_MIN : 2 * pinned.range_room;
        struct roots_part *larger = metadata_take(room * sizeof *larger);
        if (larger == NULL)
            return -ENOMEM;
        image_now->roots = &roots_tables;
        if (pinned.range_count != 0)
            memcpy(larger, pinned.ranges, pinned.range_count * sizeof *larger);
        metadata_put(pinned.ranges, pinned.range_room * sizeof *larger);
        pinned.ranges = larger;
        pinned.range_room = room;
    }
    pinned.ranges[pinned.range_count++] = (struct roots_part){(uintptr_t)start, (uintptr_t)start + size_bytes};
    return 0;
}

int roots_add(const void *start, size_t size_bytes)
{
    roots_lock();
    int result = add_range(start, size_bytes);
    roots_unlock();
    return result;
}

int roots_remove(const void *start)
{
    int result = -ENOENT;
    roots_lock();
    for (size_t i = pinned.range_count; i-- > 0 && result != 0;)
        if (pinned.ranges[i].start == (uintptr_t)start) {
            pinned.ranges[i] = pinned.ranges[--pinned.range_count];
            result = 0;
        }
    roots_unlock();
    return result;
}

static size_t home_of(uintptr_t address)
{
    return (address * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (pinned.pin_room - 1);
}

/* The address's place, or the free one where it would be put. */
static struct pin *find_pin(uintptr_t address)
{
    size_t place = home_of(address);
    while (pinned.pins[place].address != 0 && pinned.pins[place].address != address)
        place = (place + 1) & (pinned.pin_room - 1);
    return &pinned.pins[place];
}

static int grow_pins(void)
{
    struct pin *old = pinned.pins;
    size_t old_room = pinned.pin_room, room = pinned.pin_room == 0 ? PINS_MIN : 2 * pinned.pin_room;
    struct pin *larger = metadata_take(room * sizeof *larger);
    if (larger == NULL)
        return -ENOMEM;
    image_now->roots = &roots_tables;
    pinned.pins = larger;
    pinned.pin_room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i].address != 0)
            *find_pin(old[i].address) = old[i];
    metadata_put(old, old_room * sizeof *old);
    return 0;
}

/* Adds `more` to the block's pin, which is made if need be. PIN_OWNED is not there yet when it is added. */
static int add_to_pin(const void *block, uintptr_t more)
{
    if (block == NULL)
        return 0;
    roots_lock();
    int result = 2 * pinned.pin_count >= pinned.pin_room ? grow_pins() : 0;
    if (result == 0) {
        struct pin *pin = find_pin((uintptr_t)block);
        pinned.pin_count += pin->address == 0;
        pin->address = (uintptr_t)block;
        pin->count += more;
    }
    roots_unlock();
    return result;
}

int roots_pin(const void *block)
{
    return add_to_pin(block, 1);
}

int roots_pin_owned(const void *block)
{
    return add_to_pin(block, PIN_OWNED);
}

/* Closes the gap: those behind it move up unless that would take them before their home. */
static void remove_pin(size_t gap)
{
    size_t mask = pinned.pin_room - 1;
    for (size_t next = (gap + 1) & mask; pinned.pins[next].address != 0; next = (next + 1) & mask)
        if (((next - home_of(pinned.pins[next].address)) & mask) >= ((next - gap) & mask)) {
            pinned.pins[gap] = pinned.pins[next];
            gap = next;
        }
    pinned.pins[gap] = (struct pin){0, 0};
    pinned.pin_count--;
}

/* Takes `less` back; false when that much was not there. */
static bool take_from_pin(const void *block, uintptr_t less)
{
    roots_lock();
    struct pin *pin = pinned.pin_room == 0 ? NULL : find_pin((uintptr_t)block);
    uintptr_t program_count = pin != NULL ? pin->count & ~PIN_OWNED : 0;
    bool is_there = pin != NULL && (less == PIN_OWNED ? (pin->count & PIN_OWNED) != 0 : program_count >= less);
    if (is_there && (pin->count -= less) == 0)
        remove_pin((size_t)(pin - pinned.pins));
    roots_unlock();
    return is_there;
}

int roots_unpin(const void *block)
{
    return block == NULL || take_from_pin(block, 1) ? 0 : -ENOENT;
}

void roots_unpin_owned(const void *block)
{
    take_from_pin(block, PIN_OWNED);
}

void pinned_scan_ranges(roots_range *range, void *context)
{
    for (size_t i = 0; i < pinned.range_count; i++)
        range((const void *)((pinned.ranges[i].start + 3) & ~(uintptr_t)3), (const void *)pinned.ranges[i].end, 4, context);
}

void pinned_scan_pins(roots_range *range, void *context)
{
    if (pinned.pin_room != 0)
        range(pinned.pins, pinned.pins + pinned.pin_room, 8, context);
}
