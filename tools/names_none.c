/*
 * tools/names, where there is no libdw: modules and offsets, no more.
 */
#include "tools/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct names {
    const struct snapshot *snapshot;
};

struct names *names_open(const struct snapshot *snapshot)
{
    struct names *names = calloc(1, sizeof *names);
    if (names != NULL)
        names->snapshot = snapshot;
    return names;
}

void names_close(struct names *names)
{
    free(names);
}

bool names_of_variable(const struct names *names, uintptr_t address, struct name *name_out)
{
    const struct target_map *map = names == NULL ? NULL : target_maps_at(&names->snapshot->maps, address);
    if (map == NULL || map->name[0] != '/')
        return false;
    memset(name_out, 0, sizeof *name_out);
    snprintf(name_out->module, sizeof name_out->module, "%s", map->name);
    name_out->module_offset = map->file_offset + (address - map->start);
    return true;
}

bool names_of_call(const struct names *names, uintptr_t address, struct name *name_out)
{
    return names_of_variable(names, address - 1, name_out);
}

bool names_of_frame(struct names *names, size_t thread, uintptr_t address, struct name *name_out)
{
    (void)names;
    (void)thread;
    (void)address;
    (void)name_out;
    return false;
}
