/* tools/target_maps: what a process has mapped where, from /proc/PID/maps or out of a core file. */
#ifndef TOOLS_TARGET_MAPS_H
#define TOOLS_TARGET_MAPS_H

#include "tools/target.h"

#include <stdbool.h>

struct target_range {
    uintptr_t start;
    uintptr_t end;
};

struct target_map {
    uintptr_t start;
    uintptr_t end;
    uint64_t file_offset;
    uint8_t kind; /* enum os_map_kind */
    bool readable;
    bool writable;
    bool executable;
    char *name; /* a path, "[stack]", or empty; never NULL */
};

struct target_maps {
    struct target_map *entries; /* by address */
    size_t count;
};

/* Returns 0, -ESRCH when there is nothing any more, or another -errno. */
int target_maps_read(const struct target *target, struct target_maps *maps_out);
void target_maps_free(struct target_maps *maps);

/* The mapping that holds the address, or NULL. */
const struct target_map *target_maps_at(const struct target_maps *maps, uintptr_t address);

/* In what steps pointers are to be looked for in a mapping: code that is made at run time holds them anywhere. */
unsigned target_maps_step(const struct target_maps *maps, size_t index);

#endif
