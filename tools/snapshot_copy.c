/*
 * tools/snapshot_copy: what of a live process's memory a snapshot needs, and where the copies lie.
 *
 * The heap's lie at the same addresses here. Of everything else there are pieces, in mirrors where they were copied ahead
 * and in one room where not. When memory was copied ahead, what is shared with other processes is left for later unless it
 * is little: others may write there anyway.
 */
#include "tools/snapshot_copy.h"

#include "os/maps.h"
#include "tools/say.h"
#include "tools/snapshot_pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SPARE_BYTES = 64 << 20, SHARED_BYTES_MAX = 2 << 20, HURRIED_BYTES_MAX = 64 << 20 };

/* ---- before the stop ---- */

struct plan {
    struct snapshot *snapshot;
    size_t heap_bytes;
    size_t other_bytes;
    size_t *map_bytes; /* by mapping */
};

static int plan_run(const struct os_page_run *run, size_t map, enum snapshot_area area, void *context)
{
    struct plan *plan = context;
    size_t size_bytes = run->end - run->start;
    *(area == AREA_OUTSIDE ? &plan->other_bytes : &plan->heap_bytes) += size_bytes;
    plan->map_bytes[map] += area == AREA_OUTSIDE ? size_bytes : 0;
    return 0;
}

static int prepare_run(const struct os_page_run *run, size_t map, enum snapshot_area area, void *context)
{
    const struct heap_copy *heap = context;
    (void)map;
    for (enum heap_area part = HEAP_TABLES; part < HEAP_AREAS && area != AREA_OUTSIDE; part++) {
        uintptr_t start = run->start, end = run->end;
        if (heap_copy_clip(heap, part, &start, &end))
            heap_copy_prepare(start, end);
    }
    return 0;
}

static size_t memory_available(void)
{
    char line[128];
    size_t kib = SIZE_MAX / 1024;
    FILE *file = fopen("/proc/meminfo", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemAvailable: %zu kB", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib * 1024;
}

static int make_room(struct snapshot *snapshot, const struct plan *plan)
{
    size_t bytes = plan->heap_bytes + plan->other_bytes;
    if (bytes > memory_available())
        return -EOVERFLOW;
    if (bytes >= SNAPSHOT_NOTED_BYTES && isatty(STDERR_FILENO))
        say("copying %.1f GiB of process %d", (double)bytes / (1 << 30), (int)snapshot->target.process_id);
    size_t room_bytes = plan->other_bytes + plan->other_bytes / 4 + SPARE_BYTES;
    void *room = mmap(NULL, room_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return -errno;
    snapshot->room = room;
    snapshot->room_bytes = room_bytes;
    return 0;
}

/* With what is mapped now. */
static int prepare(struct snapshot *snapshot, struct ahead *ahead)
{
    struct plan plan = {.snapshot = snapshot, .map_bytes = calloc(snapshot->maps.count + 1, sizeof(size_t))};
    int result = plan.map_bytes != NULL ? snapshot_pages_each(snapshot, LOOK_FOR_ALL, plan_run, &plan) : -ENOMEM;
    if (result == 0)
        result = make_room(snapshot, &plan);
    if (result == 0)
        result = snapshot_pages_each(snapshot, LOOK_FOR_ALL, prepare_run, &snapshot->heap);
    if (result == 0)
        result = ahead_begin(ahead, snapshot, plan.map_bytes);
    if (result == 0) {
        uintptr_t room = (uintptr_t)snapshot->room;
        heap_copy_prepare(room, room + plan.other_bytes - (ahead->is_on ? ahead->mirrored_bytes : 0));
    }
    free(plan.map_bytes);
    return result;
}

int snapshot_prepare(struct snapshot *snapshot, struct ahead *ahead)
{
    int result = heap_copy_map(&snapshot->heap, &snapshot->target);
    if (result == 0)
        result = target_maps_read(&snapshot->target, &snapshot->maps);
    if (result == 0)
        result = prepare(snapshot, ahead);
    target_maps_free(&snapshot->maps);
    return result == 0 ? ahead_copy(ahead) : result;
}

/* ---- during the stop ---- */

static int add_piece(struct snapshot *snapshot, struct snapshot_piece piece)
{
    size_t count = snapshot->piece_count;
    struct snapshot_piece *last = count == 0 ? NULL : &snapshot->pieces[count - 1];
    if (last != NULL && last->map == piece.map && last->address + last->size_bytes == piece.address &&
        last->bytes + last->size_bytes == piece.bytes) {
        last->size_bytes += piece.size_bytes;
        return 0;
    }
    if ((count & (count + 1)) == 0) {
        struct snapshot_piece *pieces = realloc(snapshot->pieces, (2 * count + 1) * sizeof *pieces);
        if (pieces == NULL)
            return -ENOMEM;
        snapshot->pieces = pieces;
    }
    snapshot->pieces[snapshot->piece_count++] = piece;
    return 0;
}

static unsigned char *take_room(struct copying *copying, size_t size_bytes)
{
    struct snapshot *snapshot = copying->snapshot;
    if (size_bytes > snapshot->room_bytes - copying->used_bytes)
        return NULL;
    copying->used_bytes += size_bytes;
    return snapshot->room + copying->used_bytes - size_bytes;
}

static bool can_wait(const struct copying *copying, const struct target_map *map)
{
    bool is_shared = map->kind == OS_MAP_SHARED || map->kind == OS_MAP_FILE_SHARED;
    return copying->ahead->is_on && is_shared && (!map->writable || map->end - map->start > SHARED_BYTES_MAX);
}

static int copy_outside_run(struct copying *copying, const struct os_page_run *run, size_t map)
{
    struct snapshot *snapshot = copying->snapshot;
    bool is_current = ahead_is_current(copying->ahead, run);
    struct copy_list *list = can_wait(copying, &snapshot->maps.entries[map]) ? &copying->rest : &copying->list;
    int result = 0;
    for (uintptr_t start = run->start, end; start < run->end && result == 0; start = end) {
        unsigned char *bytes = ahead_find(copying->ahead, start, run->end, &end);
        bool is_here = bytes != NULL && is_current;
        if (bytes == NULL)
            bytes = take_room(copying, end - start);
        if (bytes == NULL)
            return -EOVERFLOW;
        if (!is_here)
            result = copy_add(list, start, bytes, end - start);
        if (result == 0)
            result = add_piece(snapshot, (struct snapshot_piece){start, bytes, end - start, map});
    }
    return result;
}

/* What may have been copied ahead and holds nothing any more. */
static int add_gap(struct copying *copying, const struct os_page_run *run)
{
    size_t count = copying->gap_count;
    if ((count & (count + 1)) == 0) {
        struct target_range *gaps = realloc(copying->gaps, (2 * count + 1) * sizeof *gaps);
        if (gaps == NULL)
            return -ENOMEM;
        copying->gaps = gaps;
    }
    copying->gaps[copying->gap_count++] = (struct target_range){run->start, run->end};
    return 0;
}

static int copy_page_run(const struct os_page_run *run, size_t map, enum snapshot_area area, void *context)
{
    struct copying *copying = context;
    struct snapshot *snapshot = copying->snapshot;
    if (area == AREA_OUTSIDE)
        return copy_outside_run(copying, run, map);
    if (run->what == PAGES_NOTHING)
        return add_gap(copying, run);
    return ahead_is_current(copying->ahead, run) ? 0 : heap_copy_add(&snapshot->heap, run->start, run->end, &copying->list);
}

/* They may be gone by now. */
static int copy_lost(struct copying *copying)
{
    struct copy_list list = {0}, unread = {0};
    int result = 0;
    for (size_t i = 0; copying->ahead->is_on && i < copying->ahead->lost.count && result == 0; i++) {
        const struct copy_piece *piece = &copying->ahead->lost.pieces[i];
        result = heap_copy_add(&copying->snapshot->heap, piece->address, piece->address + piece->size_bytes, &list);
    }
    if (result == 0 && list.count != 0)
        result = copy_run(&list, &copying->snapshot->target, &unread);
    copy_free(&list);
    copy_free(&unread);
    return result;
}

static int copy(struct snapshot *snapshot, const struct copy_list *list)
{
    struct copy_list unread = {0};
    int result = copy_run(list, &snapshot->target, &unread);
    if (result == 0 && unread.total_bytes != 0)
        snapshot_note(snapshot, "%zu bytes of its memory could not be read", unread.total_bytes);
    copy_free(&unread);
    return result;
}

int snapshot_copy(struct snapshot *snapshot, const struct ahead *ahead, struct copying *copying_out)
{
    enum snapshot_look look = ahead->is_on ? LOOK_FOR_WRITTEN : ahead->has_copied ? LOOK_FOR_GAPS : LOOK_FOR_ALL;
    *copying_out = (struct copying){.snapshot = snapshot, .ahead = ahead};
    int result = heap_copy_map(&snapshot->heap, &snapshot->target);
    if (result == 0)
        result = snapshot_pages_each(snapshot, look, copy_page_run, copying_out);
    if (copying_out->list.total_bytes > HURRIED_BYTES_MAX)
        seize_hurry(false);
    if (result == 0)
        result = copy(snapshot, &copying_out->list);
    if (result == 0)
        result = copy_lost(copying_out);
    snapshot->copied_bytes = copying_out->list.total_bytes;
    return result;
}

/* ---- afterwards ---- */

/* Zeros, as the process would read. */
static void clear_gaps(const struct copying *copying)
{
    for (size_t i = 0; i < copying->gap_count; i++)
        for (enum heap_area area = HEAP_TABLES; area < HEAP_AREAS; area++) {
            uintptr_t start = copying->gaps[i].start, end = copying->gaps[i].end;
            if (heap_copy_clip(&copying->snapshot->heap, area, &start, &end))
                madvise((void *)start, end - start, MADV_DONTNEED);
        }
}

int snapshot_copy_rest(struct copying *copying)
{
    int result = 0;
    clear_gaps(copying);
    if (copying->rest.count != 0)
        result = copy(copying->snapshot, &copying->rest);
    free(copying->gaps);
    copy_free(&copying->list);
    copy_free(&copying->rest);
    return result;
}
