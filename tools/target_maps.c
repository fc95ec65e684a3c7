/*
 * tools/target_maps: what a process has mapped where.
 */
#include "tools/target_maps.h"

#include "os/maps.h"
#include "tools/core_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Memory between parts of a program's code that was perhaps executable itself a moment ago: as in gc/roots. */
enum { CODE_NEIGHBOUR_BYTES_MAX = 64 << 20 };

static int add(struct target_maps *maps, struct target_map map, const char *name)
{
    if ((maps->count & (maps->count + 1)) == 0) {
        struct target_map *entries = realloc(maps->entries, (2 * maps->count + 1) * sizeof *entries);
        if (entries == NULL)
            return -ENOMEM;
        maps->entries = entries;
    }
    map.name = strdup(name);
    if (map.name == NULL)
        return -ENOMEM;
    maps->entries[maps->count++] = map;
    return 0;
}

/* A line of maps: "start-end rwxp offset device inode   name". */
static int add_line(struct target_maps *maps, char *line)
{
    struct target_map map = {0};
    char rights[5];
    int name_at = -1;
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%lx-%lx %4s %lx %*s %*s %n", &map.start, &map.end, rights, &map.file_offset, &name_at) < 4 ||
        name_at < 0)
        return -EIO;
    static const char deleted_mark[] = " (deleted)";
    char *name = line + name_at;
    size_t length = strlen(name);
    bool deleted = length >= sizeof deleted_mark && strcmp(name + length - (sizeof deleted_mark - 1), deleted_mark) == 0;
    map.kind = (uint8_t)os_map_kind_of(name, rights[3] == 's', deleted);
    map.readable = rights[0] == 'r';
    map.writable = rights[1] == 'w';
    map.executable = rights[2] == 'x';
    return add(maps, map, name);
}

static FILE *open_maps(const struct target *target)
{
    char path[48];
    snprintf(path, sizeof path, "task/%d/maps", (int)target->thread_id);
    int descriptor = openat(target->folder, path, O_RDONLY | O_CLOEXEC);
    return descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
}

static int read_live(const struct target *target, struct target_maps *maps)
{
    FILE *file = open_maps(target);
    if (file == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    char *line = NULL;
    size_t line_bytes = 0;
    int result = 0;
    while (result == 0 && getline(&line, &line_bytes, file) > 0)
        result = add_line(maps, line);
    free(line);
    fclose(file);
    return result == 0 && maps->count == 0 ? -ESRCH : result;
}

static int compare_maps(const void *left, const void *right)
{
    const struct target_map *a = left, *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

/* What was mapped of files but is not in the core: code, mostly. */
static int add_left_out(const struct core_file *core, struct target_maps *maps)
{
    int result = 0;
    for (size_t i = 0; i < core->mapping_count && result == 0; i++) {
        const struct core_mapping *file = &core->mappings[i];
        struct target_map map = {
            .start = file->start,
            .end = file->end,
            .file_offset = file->offset,
            .kind = (uint8_t)os_map_kind_of(file->name, false, false),
        };
        if (file->start < file->end && core_segment_at(core, file->start) == NULL)
            result = add(maps, map, file->name);
    }
    if (maps->count != 0)
        qsort(maps->entries, maps->count, sizeof *maps->entries, compare_maps);
    return result;
}

static int read_core(const struct core_file *core, struct target_maps *maps)
{
    int result = 0;
    for (size_t i = 0; i < core->segment_count && result == 0; i++) {
        const struct core_segment *segment = &core->segments[i];
        const struct core_mapping *file = core_mapping_at(core, segment->start);
        bool is_stack = core->random_address >= segment->start && core->random_address < segment->end;
        const char *name = file != NULL ? file->name : is_stack ? "[stack]" : "";
        struct target_map map = {
            .start = segment->start,
            .end = segment->end,
            .file_offset = file != NULL ? file->offset + (segment->start - file->start) : 0,
            .kind = (uint8_t)os_map_kind_of(name, false, false),
            .readable = (segment->flags & PF_R) != 0,
            .writable = (segment->flags & PF_W) != 0,
            .executable = (segment->flags & PF_X) != 0,
        };
        result = add(maps, map, name);
    }
    return result == 0 ? add_left_out(core, maps) : result;
}

int target_maps_read(const struct target *target, struct target_maps *maps_out)
{
    struct target_maps maps = {0};
    int result = target->core != NULL ? read_core(target->core, &maps) : read_live(target, &maps);
    if (result == 0)
        *maps_out = maps;
    else
        target_maps_free(&maps);
    return result;
}

void target_maps_free(struct target_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++)
        free(maps->entries[i].name);
    free(maps->entries);
    *maps = (struct target_maps){0};
}

const struct target_map *target_maps_at(const struct target_maps *maps, uintptr_t address)
{
    size_t low = 0, high = maps->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (address < maps->entries[middle].start)
            high = middle;
        else if (address >= maps->entries[middle].end)
            low = middle + 1;
        else
            return &maps->entries[middle];
    }
    return NULL;
}

static bool is_made_code(const struct target_map *map)
{
    return map->executable && map->kind <= OS_MAP_SHARED && map->kind != OS_MAP_FILE;
}

unsigned target_maps_step(const struct target_maps *maps, size_t index)
{
    const struct target_map *map = &maps->entries[index];
    if (map->executable)
        return 1;
    if (map->end - map->start > CODE_NEIGHBOUR_BYTES_MAX)
        return 4;
    if (index > 0 && map[-1].end == map->start && is_made_code(&map[-1]))
        return 1;
    return index + 1 < maps->count && map[1].start == map->end && is_made_code(&map[1]) ? 1 : 4;
}
