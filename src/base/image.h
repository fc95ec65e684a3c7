/*
 * base/image: the first thing in the reservation, which leads to everything else.
 *
 * A tool copies the header, the unit table in use and the metadata in use from a running process or a core file, maps
 * the copies at the same addresses and runs the same code on them. So every pointer of the runtime's own tables points
 * into one of these areas, and everything here is plain data.
 *
 *     start        header_bytes   this header, the bits of the first units
 *     units_start                 one descriptor a unit; committed as the heap grows
 *     (guard)
 *                                 the unit bitmaps of a heap that has outgrown those bits, each with a guard behind it
 *     metadata_start              span records, bit arrays, buffers; committed as it grows
 *     (guard)
 *     slots_start                 the blocks themselves; units of unit_bytes
 */
#ifndef BASE_IMAGE_H
#define BASE_IMAGE_H

#include "base/options.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_MAGIC "gcalloc"

enum { IMAGE_VERSION = 3 };

struct image {
    char magic[8];
    uint32_t version;
    uint32_t header_bytes; /* of this structure: a tool of another build notices */
    int32_t process_id;
    uint32_t fork_count; /* how often this process's line of ancestors has forked since the heap began */
    uint32_t unit_bytes;
    uint32_t unit_descriptor_bytes;
    uint32_t span_record_bytes;
    uint32_t birth; /* what blocks allocated now carry in their state: see heap/birth.h */
    uint32_t block_bias; /* class_rule.bias */

    uintptr_t start; /* of the reservation */
    size_t size_bytes;
    uintptr_t units_start;
    uintptr_t metadata_start;
    size_t metadata_limit_bytes; /* room for metadata, committed or not */
    uintptr_t slots_start;
    size_t unit_limit; /* units there is room for */
    _Atomic size_t units_allowed; /* that may be taken or dirty: the option heap_limit. SIZE_MAX: all */

    _Atomic size_t units_used;           /* units below this number have been handed out at least once */
    _Atomic size_t units_committed;      /* units below this number can be touched */
    _Atomic size_t metadata_used_bytes;  /* metadata below this offset has been handed out at least once */
    _Atomic size_t metadata_committed_bytes;

    void *collector; /* what it has done, see gc/history.h; NULL without */
    void *leak;  /* what reports of leaks refer to, see leak/tables.h; NULL without */
    const void *roots; /* what a scan of the roots leaves out or adds, see gc/roots_tables.h; NULL without */
    void *types; /* that blocks have, see heap/typed.h; NULL without */
    void *heaps; /* the newest thread heap; the others follow by their own links */

    uintptr_t errand_code; /* see os/errand.h; 0 without */
    uintptr_t errand_room;

    struct options options;

    /* Counted on slow paths only. */
    _Atomic uint64_t purged_bytes;
    _Atomic uint64_t moved_bytes;
    _Atomic uint64_t purge_calls;
    _Atomic uint64_t units_taken; /* handed out now */
    _Atomic uint64_t units_dirty; /* free, but with pages */
};

/* NULL until the first malloc. */
extern struct image *image_now;

/*
 * The same variable, for tools to find in the library. Inside, nobody uses this name: with two copies of the library in a
 * process it would mean the first one's in both.
 */
extern struct image *gca_image __attribute__((visibility("default")));

#endif
