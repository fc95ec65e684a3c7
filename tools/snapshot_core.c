/*
 * tools/snapshot_core: a snapshot out of a core file. Nothing is copied: heap and roots are the file's own pages.
 */
#include "tools/snapshot.h"

#include "os/maps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int add_pieces(struct snapshot *snapshot)
{
    const struct core_file *core = &snapshot->core;
    snapshot->pieces = calloc(core->segment_count + 1, sizeof *snapshot->pieces);
    if (snapshot->pieces == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < core->segment_count; i++) {
        const struct core_segment *segment = &core->segments[i];
        const struct target_map *map = target_maps_at(&snapshot->maps, segment->start);
        if (segment->file_bytes == 0 || map == NULL || map->kind == OS_MAP_DEVICE ||
            heap_copy_owns(&snapshot->heap, segment->start))
            continue;
        snapshot->pieces[snapshot->piece_count++] =
            (struct snapshot_piece){segment->start, core->bytes + segment->file_offset, segment->file_bytes,
                                    (size_t)(map - snapshot->maps.entries)};
    }
    return 0;
}

static int add_threads(struct snapshot *snapshot)
{
    const struct core_file *core = &snapshot->core;
    snapshot->threads = calloc(core->thread_count + 1, sizeof *snapshot->threads);
    if (snapshot->threads == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < core->thread_count; i++) {
        const struct core_thread *from = &core->threads[i];
        struct snapshot_thread *thread = &snapshot->threads[snapshot->thread_count++];
        struct seized_thread registers = {0};
        if (from->sets[0].size_bytes == sizeof registers.registers)
            memcpy(&registers.registers, from->sets[0].bytes, sizeof registers.registers);
        thread->thread_id = from->thread_id;
        thread->registers = registers.registers;
        thread->program_counter = seized_program_counter(&registers);
        thread->stack_pointer = seized_stack_pointer(&registers);
        thread->thread_pointer = seized_thread_pointer(&registers);
        for (uint32_t set = 0; set < from->set_count; set++) {
            thread->sets[set] = from->sets[set].bytes;
            thread->set_bytes[set] = from->sets[set].size_bytes;
        }
    }
    return 0;
}

static void read_guard(struct snapshot *snapshot)
{
    enum { GUARD_OFFSET = 0x30 };
    for (size_t i = 0; i < snapshot->thread_count && snapshot->guard == 0; i++)
        if (snapshot->threads[i].thread_pointer != 0)
            target_read_all(&snapshot->target, snapshot->threads[i].thread_pointer + GUARD_OFFSET, &snapshot->guard,
                            sizeof snapshot->guard);
}

static void note_what_is_missing(struct snapshot *snapshot, size_t heap_missing_bytes)
{
    const struct core_file *core = &snapshot->core;
    if (core->missing_bytes != 0)
        snapshot_note(snapshot, "the core file is cut short: %llu bytes are missing",
                      (unsigned long long)core->missing_bytes);
    else if (heap_missing_bytes != 0)
        snapshot_note(snapshot, "%zu bytes of blocks are not in the core file", heap_missing_bytes);
    if (core->thread_count == 0)
        snapshot_note(snapshot, "the core file has no registers");
    snapshot_note(snapshot, "what epoll, timers and pipes hold is not in a core file");
}

static int take(struct snapshot *snapshot)
{
    size_t heap_missing_bytes = 0;
    int result = target_attach_core(&snapshot->core, &snapshot->target);
    if (result == 0)
        result = heap_copy_map(&snapshot->heap, &snapshot->target);
    if (result == 0)
        result = heap_copy_from_core(&snapshot->heap, &snapshot->core, &heap_missing_bytes);
    if (result == 0)
        result = target_maps_read(&snapshot->target, &snapshot->maps);
    if (result == 0)
        result = add_pieces(snapshot);
    if (result == 0)
        result = add_threads(snapshot);
    if (result != 0)
        return result;
    read_guard(snapshot);
    note_what_is_missing(snapshot, heap_missing_bytes);
    struct stat status;
    if (fstat(snapshot->core.descriptor, &status) == 0)
        snapshot->taken_ms = (uint64_t)status.st_mtime * 1000;
    return 0;
}

/* The target names its core by address, so it is set once both lie where they stay. */
int snapshot_take_core(const char *path, struct snapshot *snapshot_out)
{
    *snapshot_out = (struct snapshot){.target.folder = -1, .core.descriptor = -1};
    int result = core_open(path, &snapshot_out->core);
    if (result != 0)
        return result;
    result = take(snapshot_out);
    if (result != 0)
        snapshot_free(snapshot_out);
    return result;
}
