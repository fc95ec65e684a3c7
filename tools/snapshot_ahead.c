/*
 * tools/snapshot_ahead: copies a process's memory while it runs.
 *
 * Followed are the heap and other mappings without a file that hold much. Stacks and small ones change all the time and are
 * soon copied. Memory shared with others can't be followed: who else writes there is not seen.
 */
#include "tools/snapshot_ahead.h"

#include "os/maps.h"
#include "tools/errand.h"
#include "tools/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum {
    MIRRORED_BYTES_MIN = 256 << 10, /* less than that is quicker copied than followed */
    ROUNDS_MAX = 8,
    LITTLE_BYTES = 1 << 20, /* as much takes half a millisecond to copy */
    LOST_MAX = 4096,
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- begin ---- */

/* One at a time can follow a mapping. The collector does so itself, with what it has found out we must not interfere. */
static bool is_followed(const struct snapshot *snapshot)
{
    const struct image *header = &snapshot->heap.header;
    struct held_list list;
    if (header->options.gc || header->options.quarantine || header->collector != NULL ||
        held_list(&snapshot->target, &list) != 0)
        return true;
    bool result = list.tracks_writes;
    held_list_free(&list);
    return result;
}

/* Returns the descriptor that the process has made for us, or -errno. */
static int fetch_descriptor(struct ahead *ahead)
{
    struct snapshot *snapshot = ahead->snapshot;
    struct seized seized;
    seize_hurry(true);
    uint64_t since_ns = now_ns();
    int result = seize_begin(snapshot->target.process_id, &seized);
    if (result != 0) {
        seize_hurry(false);
        return result;
    }
    result = errand_descriptor(&seized, &snapshot->target, &snapshot->heap.header, watch_call(), watch_call_flags());
    seize_end(&seized);
    ahead->paused_ns = now_ns() - since_ns;
    seize_hurry(false);
    seize_free(&seized);
    return result;
}

static bool is_worth_it(const struct snapshot *snapshot, size_t map, const size_t *map_bytes)
{
    return snapshot->maps.entries[map].kind == OS_MAP_PRIVATE && map_bytes[map] >= MIRRORED_BYTES_MIN;
}

static int make_mirrors(struct ahead *ahead, const size_t *map_bytes)
{
    const struct target_maps *maps = &ahead->snapshot->maps;
    ahead->snapshot->mirrors = calloc(maps->count + 1, sizeof *ahead->snapshot->mirrors);
    if (ahead->snapshot->mirrors == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < maps->count; i++) {
        const struct target_map *map = &maps->entries[i];
        if (!is_worth_it(ahead->snapshot, i, map_bytes))
            continue;
        void *bytes = mmap(NULL, map->end - map->start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (bytes == MAP_FAILED)
            return -ENOMEM;
        ahead->snapshot->mirrors[ahead->snapshot->mirror_count++] =
            (struct snapshot_mirror){map->start, map->end, bytes};
        ahead->mirrored_bytes += map_bytes[i];
    }
    return 0;
}

static int begin(struct ahead *ahead, const size_t *map_bytes)
{
    if (!watch_is_reliable())
        return -ENOSYS;
    if (is_followed(ahead->snapshot))
        return -EBUSY;
    int descriptor = fetch_descriptor(ahead);
    if (descriptor < 0)
        return descriptor;
    int result = watch_open(&ahead->watch, descriptor, &ahead->snapshot->target);
    return result == 0 ? make_mirrors(ahead, map_bytes) : result;
}

int ahead_begin(struct ahead *ahead, struct snapshot *snapshot, const size_t *map_bytes)
{
    *ahead = (struct ahead){.snapshot = snapshot, .watch = {-1, -1}};
    ahead->problem = begin(ahead, map_bytes);
    ahead->is_on = ahead->problem == 0;
    if (!ahead->is_on)
        watch_close(&ahead->watch);
    return ahead->problem == -ESRCH ? -ESRCH : 0;
}

/* ---- rounds ---- */

struct round {
    const struct ahead *ahead;
    struct copy_list list;
    unsigned char *to; /* where what lies at `start` goes */
    uintptr_t start;
};

static int add_run(uintptr_t start, uintptr_t end, void *context)
{
    struct round *round = context;
    return copy_add(&round->list, start, round->to + (start - round->start), end - start);
}

/* Only what is copied is protected. A mapping that can't be followed counts as written for ever. */
static int look_at(struct round *round, const struct target_map *map, uintptr_t start, uintptr_t end, unsigned char *to)
{
    const struct watch *watch = &round->ahead->watch;
    if (watch_add(watch, map->start, map->end) != 0)
        return 0;
    round->start = start;
    round->to = to;
    return watch_renew(watch, start, end, add_run, round);
}

static int look_at_heap(struct round *round, const struct target_map *map)
{
    const struct heap_copy *heap = &round->ahead->snapshot->heap;
    int result = 0;
    for (enum heap_area area = HEAP_TABLES; area < HEAP_AREAS && result == 0; area++) {
        uintptr_t start = map->start, end = map->end;
        if (map->readable && heap_copy_clip(heap, area, &start, &end))
            result = look_at(round, map, start, end, (unsigned char *)start);
    }
    return result;
}

static int look_at_mirrors(struct round *round, const struct target_map *map)
{
    int result = 0;
    for (size_t i = 0; i < round->ahead->snapshot->mirror_count && result == 0; i++) {
        const struct snapshot_mirror *mirror = &round->ahead->snapshot->mirrors[i];
        uintptr_t start = map->start > mirror->start ? map->start : mirror->start;
        uintptr_t end = map->end < mirror->end ? map->end : mirror->end;
        if (start < end && map->kind == OS_MAP_PRIVATE)
            result = look_at(round, map, start, end, mirror->bytes + (start - mirror->start));
    }
    return result;
}

static int look_at_all(struct round *round)
{
    struct snapshot *snapshot = round->ahead->snapshot;
    struct target_maps maps;
    int result = heap_copy_map(&snapshot->heap, &snapshot->target);
    if (result == 0)
        result = target_maps_read(&snapshot->target, &maps);
    if (result != 0)
        return result;
    for (size_t i = 0; i < maps.count && result == 0; i++)
        result = heap_copy_owns(&snapshot->heap, maps.entries[i].start) ? look_at_heap(round, &maps.entries[i])
                                                                       : look_at_mirrors(round, &maps.entries[i]);
    target_maps_free(&maps);
    return result;
}

static int copy_round(struct ahead *ahead, size_t *copied_out)
{
    struct round round = {.ahead = ahead};
    int result = look_at_all(&round);
    ahead->has_copied = ahead->has_copied || result == 0;
    if (result == 0)
        result = copy_run(&round.list, &ahead->snapshot->target, &ahead->lost);
    *copied_out = round.list.total_bytes;
    copy_free(&round.list);
    return result == 0 && ahead->lost.count > LOST_MAX ? -EAGAIN : result;
}

int ahead_copy(struct ahead *ahead)
{
    size_t before = SIZE_MAX, copied = 0;
    for (int round = 0; ahead->is_on && round < ROUNDS_MAX; round++) {
        ahead->problem = copy_round(ahead, &copied);
        ahead->is_on = ahead->problem == 0;
        /* A program that writes as fast as we copy will not get slower. */
        if (copied <= LITTLE_BYTES || copied > before / 4 * 3)
            break;
        before = copied;
    }
    return ahead->problem == -ESRCH ? -ESRCH : 0;
}

/* ---- what is here ---- */

unsigned char *ahead_find(const struct ahead *ahead, uintptr_t start, uintptr_t end, uintptr_t *end_out)
{
    *end_out = end;
    for (size_t i = 0; i < ahead->snapshot->mirror_count && ahead->is_on; i++) {
        const struct snapshot_mirror *mirror = &ahead->snapshot->mirrors[i];
        if (mirror->end <= start || mirror->start >= end)
            continue;
        bool is_inside = mirror->start <= start;
        *end_out = !is_inside ? mirror->start : mirror->end < end ? mirror->end : end;
        return is_inside ? mirror->bytes + (start - mirror->start) : NULL;
    }
    return NULL;
}

bool ahead_is_current(const struct ahead *ahead, const struct os_page_run *run)
{
    if (!ahead->is_on || (run->what & OS_PAGE_WRITTEN) != 0)
        return false;
    for (size_t i = 0; i < ahead->lost.count; i++) {
        const struct copy_piece *piece = &ahead->lost.pieces[i];
        if (piece->address < run->end && piece->address + piece->size_bytes > run->start)
            return false;
    }
    return true;
}

const char *ahead_problem(const struct ahead *ahead)
{
    switch (-ahead->problem) {
    case 0:
        return NULL;
    case EBUSY:
        return "it follows its writes itself, as a collector does";
    case EACCES:
        return "it has a seccomp filter";
    case EAGAIN:
        return "no thread of it could help";
    default:
        return "its writes can't be followed here";
    }
}

/* ---- end ---- */

static bool is_in_mirror(const struct snapshot *snapshot, const struct target_map *map)
{
    for (size_t i = 0; i < snapshot->mirror_count; i++)
        if (map->start < snapshot->mirrors[i].end && map->end > snapshot->mirrors[i].start)
            return true;
    return false;
}

void ahead_end(struct ahead *ahead)
{
    const struct snapshot *snapshot = ahead->snapshot;
    struct target_maps maps = {0};
    if (ahead->watch.protection >= 0 && target_maps_read(&snapshot->target, &maps) == 0)
        for (size_t i = 0; i < maps.count; i++)
            if (heap_copy_owns(&snapshot->heap, maps.entries[i].start) || is_in_mirror(snapshot, &maps.entries[i]))
                watch_remove(&ahead->watch, maps.entries[i].start, maps.entries[i].end);
    target_maps_free(&maps);
    watch_close(&ahead->watch);
    copy_free(&ahead->lost);
}
