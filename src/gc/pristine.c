/*
 * gc/pristine: private mappings of files of which no page was ever the program's own.
 */
#include "gc/pristine.h"

#include "os/maps.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
    PLACES = 512, /* a mapping has one; another that needs the same takes it over */
    PLACE_SHIFT = 12,
    BYTES_MIN = 32768, /* smaller ones cost no more than what is saved */
};

struct place {
    _Atomic uintptr_t start; /* 0: nothing is known */
    uintptr_t end;
    uint64_t file;
    uint64_t scan; /* the last that found it so */
};

static struct place places[PLACES];
static uint64_t scan_now;
static _Atomic bool is_used;

static struct place *place_of(const struct os_map *map)
{
    const uint64_t odd = 0x9e3779b97f4a7c15u;
    return &places[(map->start >> PLACE_SHIFT) * odd >> 32 & (PLACES - 1)];
}

static bool may_be(const struct os_map *map)
{
    return map->kind == OS_MAP_FILE && !map->writable && map->end - map->start >= BYTES_MIN;
}

void pristine_begin_scan(void)
{
    scan_now++;
}

/* What one scan did not find as it was is not known to the next: it may have been written to in between. */
bool pristine_is_known(const struct os_map *map)
{
    struct place *place = place_of(map);
    if (!may_be(map) || place->start != map->start || place->end != map->end || place->file != map->file ||
        scan_now - place->scan > 1)
        return false;
    place->scan = scan_now;
    return true;
}

void pristine_note(const struct os_map *map)
{
    if (!may_be(map))
        return;
    struct place *place = place_of(map);
    place->end = map->end;
    place->file = map->file;
    place->scan = scan_now;
    place->start = map->start;
    is_used = true;
}

/*
 * What is noted of these addresses after this has looked at its place is forgotten by the call that takes the access back; a scan
 * that comes between the two sees that the mapping can be written.
 */
void pristine_forget(const void *start, size_t size_bytes)
{
    uintptr_t first = (uintptr_t)start, end = first + size_bytes;
    for (size_t i = 0; is_used && i < PLACES; i++) {
        uintptr_t known = atomic_load_explicit(&places[i].start, memory_order_relaxed);
        if (known != 0 && known < end && first < places[i].end)
            places[i].start = 0;
    }
}
