/*
 * tools/snapshot_pages: which pages of a live process hold something that a snapshot needs.
 *
 * The same as gc/roots looks at: what the process has written, or may have. Pages that were never touched are left
 * alone, since reading them would make them exist.
 */
#include "tools/snapshot_pages.h"

#include "heap/sizes.h"

#include "os/maps.h"
#include "os/pages.h"

#include <errno.h>
#include <stdio.h>

enum { BUFFER_BYTES = 12288, WHOLE_FILE_BYTES_MAX = 256 << 20 };

struct walk {
    struct snapshot *snapshot;
    struct os_pages pages;
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

static int visit_run(struct walk *walk, const struct os_page_run *run, size_t map, bool in_heap)
{
    bool is_plain_file = walk->snapshot->maps.entries[map].kind == OS_MAP_FILE && (run->what & OS_PAGE_FILE) != 0;
    if (is_plain_file || (run->what & OS_PAGE_ZERO) != 0)
        return 0;
    return walk->visit(run->start, run->end, map, in_heap, walk->context);
}

static int walk_part(struct walk *walk, size_t map, uintptr_t start, uintptr_t end, bool in_heap)
{
    struct os_page_run run;
    int result;
    os_pages_begin(&walk->pages, start, end, end);
    while ((result = os_pages_next(&walk->pages, &run)) == 1) {
        result = visit_run(walk, &run, map, in_heap);
        if (result != 0)
            return result;
    }
    return result;
}

/* A mapping without what of it is the heap's tables; the blocks count apart. */
static int walk_map(struct walk *walk, size_t index)
{
    const struct target_map *map = &walk->snapshot->maps.entries[index];
    const struct image *header = &walk->snapshot->heap.header;
    const struct {
        uintptr_t start, end;
        bool is_blocks;
    } cuts[] = {
        {header->start, header->start + walk->snapshot->heap.areas[HEAP_TABLES].mapped_bytes, false},
        {header->metadata_start, header->metadata_start + header->metadata_limit_bytes, false},
        {header->slots_start, header->slots_start + (header->unit_limit << UNIT_SHIFT), true},
    };
    uintptr_t next = map->start;
    int result = 0;
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0] && result == 0; i++) {
        if (cuts[i].end <= next || cuts[i].start >= map->end)
            continue;
        uintptr_t start = cuts[i].start > next ? cuts[i].start : next;
        uintptr_t end = cuts[i].end < map->end ? cuts[i].end : map->end;
        if (next < start)
            result = walk_part(walk, index, next, start, false);
        if (result == 0 && cuts[i].is_blocks)
            result = walk_part(walk, index, start, end, true);
        next = end;
    }
    return result == 0 && next < map->end ? walk_part(walk, index, next, map->end, false) : result;
}

int snapshot_pages_each(struct snapshot *snapshot, snapshot_page_run *visit, void *context)
{
    static _Alignas(8) unsigned char buffer[BUFFER_BYTES];
    char path[64];
    struct walk walk = {.snapshot = snapshot, .visit = visit, .context = context};
    snprintf(path, sizeof path, "/proc/%d/task/%d/pagemap", (int)snapshot->target.process_id,
             (int)snapshot->target.thread_id);
    int result = os_pages_open_of(&walk.pages, path, buffer, sizeof buffer);
    if (result != 0)
        return result;
    for (size_t i = 0; i < snapshot->maps.count && result == 0; i++)
        if (is_wanted(&snapshot->maps.entries[i]))
            result = walk_map(&walk, i);
    os_pages_close(&walk.pages);
    return result;
}
