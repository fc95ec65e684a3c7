/*
 * tools/heap_copy: a target's heap, tables and blocks, at the same addresses here.
 *
 * Pointers of the heap so mean here what they mean there, and the library's own code can follow them.
 */
#ifndef TOOLS_HEAP_COPY_H
#define TOOLS_HEAP_COPY_H

#include "base/image.h"
#include "tools/copy.h"
#include "tools/target.h"

#include <stdbool.h>

enum heap_area { HEAP_TABLES, HEAP_METADATA, HEAP_SLOTS, HEAP_AREAS };

struct heap_copy {
    struct image header; /* as it was checked, whatever the copy says */
    struct {
        uintptr_t start;
        size_t mapped_bytes;
        size_t used_bytes;
    } areas[HEAP_AREAS];
};

/*
 * Reads the header and makes room at the heap's addresses; called again, for what it has grown by. Returns 0; -EPROTO:
 * another version, or damaged; -EEXIST: something of this process lies there; or another -errno.
 */
int heap_copy_map(struct heap_copy *copy, const struct target *target);

/* The part of a range that has room here, in one area. False when none has. */
bool heap_copy_clip(const struct heap_copy *copy, enum heap_area area, uintptr_t *start, uintptr_t *end);

/* Adds what is to be copied of a run of pages of the tables, metadata or blocks. Returns 0 or -ENOMEM. */
int heap_copy_add(const struct heap_copy *copy, uintptr_t start, uintptr_t end, struct copy_list *list);

/* Memory for a run of pages before it is needed: a page fault here takes longer than copying the page. */
void heap_copy_prepare(uintptr_t start, uintptr_t end);

/* Puts a core's pages at their addresses. Returns 0 or -errno; *missing_out says how many bytes are not in it. */
int heap_copy_from_core(const struct heap_copy *copy, const struct core_file *core, size_t *missing_out);

/* The address lies in the tables, in the metadata or among the blocks: in nobody's memory but the heap's. */
bool heap_copy_owns(const struct heap_copy *copy, uintptr_t address);

void heap_copy_drop(struct heap_copy *copy);

#endif
