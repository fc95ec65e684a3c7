/*
 * leak/lives: what each place has allocated and freed so far, and how long its blocks lived. With the option lifetimes.
 *
 * Blocks that were freed leave nothing else behind: this is what tells of memory that comes and goes. Where only samples
 * are recorded, each counts as often as it stands for a block (leak/sample.h), so the figures are estimates.
 */
#ifndef LEAK_LIVES_H
#define LEAK_LIVES_H

#include "leak/tables.h"

#include <stdbool.h>

enum {
    LIFE_SPANS = 24, /* of lifetimes: below 1 ms, below 2, 4, ...; the last has all that are longer */
    LIFE_CHUNK = 256,
    LIFE_CHUNKS_MAX = 1024,
    LIFE_ONE = 256, /* blocks are counted in parts of this size, for estimates */
};

/* Of one call stack. All counts only grow. */
struct life {
    uint32_t stack; /* 0: blocks whose stack is not known */
    uint32_t unused;
    _Atomic uint64_t made; /* blocks, times LIFE_ONE */
    _Atomic uint64_t made_bytes;
    _Atomic uint64_t ended; /* likewise, of those that were freed */
    _Atomic uint64_t ended_bytes;
    _Atomic uint64_t brief; /* freed before their thread allocated another one */
    _Atomic uint64_t peak_bytes; /* the most there was at once */
    _Atomic uint64_t spans[LIFE_SPANS]; /* ended, by how long they lived */
};

/* By number, which the stack knows (struct stack_entry). Number 0 has no stack. */
struct life_table {
    _Atomic uint32_t count;
    struct life *_Atomic chunks[LIFE_CHUNKS_MAX];
};

/* A table, in metadata; NULL when memory is short. */
struct life_table *lives_make(void);

/* A block with this record has been handed out, in a slot of this size. Thread-safe, without locks. */
void lives_begin(const struct leak_tables *tables, const struct block_record *record, size_t slot_bytes);

/* It has been freed, or resized, after so long. `is_brief`: nothing was allocated meanwhile. */
void lives_end(const struct leak_tables *tables, const struct block_record *record, size_t slot_bytes, uint32_t lived_ms,
               bool is_brief);

/* The life with this number, or NULL. Good on a copy of the image, too. */
const struct life *lives_get(const struct life_table *table, uint32_t number);

#endif
