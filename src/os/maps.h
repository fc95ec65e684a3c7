/* os/maps: what lies at an address, read from /proc/thread-self/maps line by line on a small stack. */
#ifndef OS_MAPS_H
#define OS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct os_mapping {
    uintptr_t start;
    uintptr_t end;
    uint64_t file_offset;
    bool readable;
    bool writable;
    bool executable;
    char name[128]; /* a path's last 127 bytes, "[stack]", "[heap]", or empty for anonymous memory */
};

/*
 * Finds the mapping that holds the address. Returns 0; -ENOENT when nothing is mapped there; or -EIO when that can't be
 * told (no /proc, no descriptor left).
 */
int os_mapping_find(uintptr_t address, struct os_mapping *mapping_out);

#endif
