/*
 * leak/healed: leaks that a collector has healed: what it freed, added up by where it was allocated.
 */
#ifndef LEAK_HEALED_H
#define LEAK_HEALED_H

#include "leak/tables.h"

#include <stddef.h>

/* All blocks of one stack and thread that were reclaimed. */
struct healed_site {
    uint32_t stack;
    uint16_t thread;
    bool is_used;
    uint32_t oldest_ms; /* when they were allocated */
    uint32_t newest_ms;
    uint64_t blocks;
    uint64_t bytes;
    size_t size_min;
    size_t size_max;
};

/* A hash table, at most half full; it grows, in metadata, so a tool's copy of the image has it, too. */
struct healed_table {
    size_t room; /* a power of two */
    size_t count;
    struct healed_site sites[];
};

/* A block goes that had this record. One thread at a time. What finds no memory is not counted. */
void healed_add(struct leak_tables *tables, const struct block_record *record, size_t slot_bytes);

#endif
