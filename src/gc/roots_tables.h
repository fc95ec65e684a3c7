/*
 * gc/roots_tables: what a scan of the roots leaves out or adds, for who scans from outside: image->roots leads here.
 *
 * Every pointer leads to a variable of the collector's, and may change between two reads; nothing here may be trusted.
 */
#ifndef GC_ROOTS_TABLES_H
#define GC_ROOTS_TABLES_H

#include "gc/parts.h"
#include "os/maps.h"

#include <stddef.h>
#include <stdint.h>

/* A block that the program has pinned. */
struct pin {
    uintptr_t address; /* 0: nothing here */
    uintptr_t count;   /* of the program's pins, and PIN_OWNED */
};

/* The block has an owner (own/edges.c): only that is why a collector keeps it. */
#define PIN_OWNED ((uintptr_t)1 << 62)

/* What the program has added, in metadata. */
struct pinned {
    struct roots_part *ranges;
    size_t range_count, range_room;
    struct pin *pins;
    size_t pin_count, pin_room; /* room is a power of two, at most half full */
};

/* Entries in metadata, all words of which are roots. */
struct roots_words {
    const void *const *start;
    const size_t *count;
    size_t entry_bytes;
};

extern const struct roots_words ledger_words;   /* gc/ledger */
extern const struct roots_words finalize_words; /* gc/finalize */

enum { ROOTS_WORDS_COUNT = 2 };

struct roots_tables {
    uint32_t tables_bytes; /* of this structure: a tool of another build notices */
    uint32_t workspace_bytes;
    const struct parts *hidden;
    const struct parts *cuts;
    const struct parts *unreadable;
    const struct os_maps *maps;
    void *const *workspace;
    const struct pinned *pinned;
    const struct roots_words *words[ROOTS_WORDS_COUNT];
};

extern const struct roots_tables roots_tables;

#endif
