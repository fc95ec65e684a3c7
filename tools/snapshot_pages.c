/*
 * tools/snapshot_pages: which pages of a live process hold something that a snapshot needs.
 *
 * The same as gc/roots looks at: what the process has written, or may have. Pages that were never touched are left
 * alone, since reading them would make them exist.
 */
#include "tools/snapshot_pages.h"

#include "heap/sizes.h"

#include "os/maps.h"

#include <errno.h>
#include <stdio.h>

enum { BUFFER_BYTES = 12288, WHOLE_FILE_BYTES_MAX = 256 << 20 };

struct walk {
    struct snapshot *snapshot;
    enum snapshot_look look;
    struct os_pages pages;
    struct os_pages doubts;
    snapshot_page_run *visit;
    void *context;
};

/* Files that are mapped read-only and large are data to look things up in. */
static bool is_wanted(const struct target_map *map)
{
    if (map->kind == OS_MAP_DEVICE || map->kind == OS_MAP_SECRET)
        return false;
    return map->kind != OS_MAP_FILE_SHARED || map->writable || map->end - map->start <= WHOLE_FILE_BYTES_MAX;
}

static int visit_run(struct walk *walk, const struct os_page_run *run, size_t map, enum snapshot_area area)
{
    bool is_plain_file = walk->snapshot->maps.entries[map].kind == OS_MAP_FILE && (run->what & OS_PAGE_FILE) != 0;
    if (is_plain_file || (run->what & OS_PAGE_ZERO) != 0)
        return 0;
    return walk->visit(run, map, area, walk->context);
}

static int walk_outside(struct walk *walk, size_t map, uintptr_t start, uintptr_t end)
{
    bool has_file = walk->snapshot->maps.entries[map].kind != OS_MAP_PRIVATE;
    struct os_page_run run;
    int result;
    if (has_file)
        os_pages_begin(&walk->pages, start, end, end);
    else
        os_pages_begin_anonymous(&walk->pages, start, end);
    while ((result = os_pages_next(&walk->pages, &run)) == 1) {
        result = visit_run(walk, &run, map, AREA_OUTSIDE);
        if (result != 0)
            return result;
    }
    return result;
}

static int visit_gap(struct walk *walk, size_t map, uintptr_t start, uintptr_t end, enum snapshot_area area)
{
    const struct os_page_run gap = {start, end, PAGES_NOTHING};
    return walk->look != LOOK_FOR_ALL && start < end ? walk->visit(&gap, map, area, walk->context) : 0;
}

static int walk_heap_part(struct walk *walk, size_t map, uintptr_t start, uintptr_t end, enum snapshot_area area)
{
    struct os_page_run run;
    uintptr_t next = start;
    int result;
    os_pages_begin_anonymous(&walk->pages, start, end);
    while ((result = os_pages_next(&walk->pages, &run)) == 1) {
        if ((run.what & OS_PAGE_ZERO) != 0)
            continue;
        result = visit_gap(walk, map, next, run.start, area);
        if (result == 0)
            result = visit_run(walk, &run, map, area);
        if (result != 0)
            return result;
        next = run.end;
    }
    return result == 0 ? visit_gap(walk, map, next, end, area) : result;
}

static int walk_heap(struct walk *walk, size_t map, uintptr_t start, uintptr_t end, enum snapshot_area area)
{
    struct os_page_run run;
    int result;
    if (walk->look != LOOK_FOR_WRITTEN || !os_pages_is_tracked(&walk->pages, start))
        return walk_heap_part(walk, map, start, end, area);
    os_pages_begin_doubtful(&walk->doubts, start, end);
    while ((result = os_pages_next(&walk->doubts, &run)) == 1) {
        result = walk_heap_part(walk, map, run.start, run.end, area);
        if (result != 0)
            return result;
    }
    return result;
}

/* A mapping, and what of it is the heap's. */
static int walk_map(struct walk *walk, size_t index)
{
    const struct target_map *map = &walk->snapshot->maps.entries[index];
    const struct heap_copy *heap = &walk->snapshot->heap;
    const struct image *header = &heap->header;
    const struct {
        uintptr_t start, end;
        enum snapshot_area area;
    } cuts[] = {
        {header->start, header->start + heap->areas[HEAP_TABLES].mapped_bytes, AREA_TABLES},
        {header->metadata_start, header->metadata_start + header->metadata_limit_bytes, AREA_TABLES},
        {header->slots_start, header->slots_start + (header->unit_limit << UNIT_SHIFT), AREA_BLOCKS},
    };
    uintptr_t next = map->start;
    int result = 0;
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0] && result == 0; i++) {
        if (cuts[i].end <= next || cuts[i].start >= map->end)
            continue;
        uintptr_t start = cuts[i].start > next ? cuts[i].start : next;
        uintptr_t end = cuts[i].end < map->end ? cuts[i].end : map->end;
        if (next < start)
            result = walk_outside(walk, index, next, start);
        if (result == 0)
            result = walk_heap(walk, index, start, end, cuts[i].area);
        next = end;
    }
    return result == 0 && next < map->end ? walk_outside(walk, index, next, map->end) : result;
}

int snapshot_pages_each(struct snapshot *snapshot, enum snapshot_look look, snapshot_page_run *visit, void *context)
{
    static _Alignas(8) unsigned char buffer[BUFFER_BYTES], doubtful[BUFFER_BYTES];
    char path[64];
    struct walk walk = {.snapshot = snapshot, .look = look, .visit = visit, .context = context};
    snprintf(path, sizeof path, "/proc/%d/task/%d/pagemap", (int)snapshot->target.process_id,
             (int)snapshot->target.thread_id);
    int result = os_pages_open_of(&walk.pages, path, buffer, sizeof buffer);
    if (result == 0)
        result = os_pages_open_of(&walk.doubts, path, doubtful, sizeof doubtful);
    else
        return result;
    walk.pages.tells_written = look == LOOK_FOR_WRITTEN;
    for (size_t i = 0; i < snapshot->maps.count && result == 0; i++)
        if (is_wanted(&snapshot->maps.entries[i]))
            result = walk_map(&walk, i);
    os_pages_close(&walk.doubts);
    os_pages_close(&walk.pages);
    return result;
}
