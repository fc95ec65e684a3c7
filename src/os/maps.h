/*
 * os/maps: what lies at an address, read from /proc/thread-self/maps line by line on a small stack; and all that lies
 * anywhere, as a table.
 */
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

/* What a mapping's pages can hold, and where that can be found. */
enum os_map_kind {
    OS_MAP_PRIVATE,     /* no file: what was ever written is in the process's own pages */
    OS_MAP_STACK,       /* the same; the main thread's stack */
    OS_MAP_FILE,        /* a private mapping of a file: what was written since are pages without FILE */
    OS_MAP_SHARED,      /* memory that may be shared: also what the page tables don't show may hold data */
    OS_MAP_FILE_SHARED, /* a shared mapping of a file that has a name */
    OS_MAP_SECRET,      /* memfd_secret: the kernel itself can't read it */
    OS_MAP_RING,        /* io_uring or aio: plain memory shared with the kernel, with values the program gave it */
    OS_MAP_DEVICE,      /* reading it may do something, or it is the kernel's: vdso and the like */
};

/* What code does that one has to know who looks for its pointers. */
enum os_map_habit {
    OS_MAP_DISTANCES = 1, /* keeps how far one block is from another, instead of its address */
    OS_MAP_HIDES = 2,     /* keeps addresses in ways that can't be recognised */
};

/* The habits of the library that a mapping of this name is of; 0 for nearly all. */
uint8_t os_map_habits(const char *name);

/* By the start of the mapping's name, "" for none; whether it is shared; and whether it is of a deleted file. */
enum os_map_kind os_map_kind_of(const char *name, bool shared, bool deleted);

struct os_map {
    uintptr_t start;
    uintptr_t end;
    uint64_t file; /* another number for another file, and for another part of it */
    uint8_t kind;
    bool readable;
    bool writable;
    bool executable;
};

struct os_maps {
    struct os_map *entries; /* by address, in memory of their own, which os_maps_read() gets and enlarges */
    size_t count;
    size_t size_bytes;
    uint8_t habits; /* of all of them: os_map_habits() */
};

/*
 * Reads the whole table; start with a zeroed one, reuse it for the next time. text is room for the reading. The table's
 * own memory may be in it. Returns 0, -ENOMEM, or another -errno when there is no /proc.
 */
int os_maps_read(struct os_maps *maps, char *text, size_t text_bytes);

#endif
