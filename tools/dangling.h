/*
 * tools/dangling: who in a snapshot still points to blocks that the program has freed: those that the quarantine holds, and those between
 * guard pages.
 *
 * Between examine_begin() and examine_end().
 */
#ifndef TOOLS_DANGLING_H
#define TOOLS_DANGLING_H

#include "heap/lookup.h"
#include "tools/examine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A word that leads to a freed block. */
struct dangling_pointer {
    struct block block;
    uintptr_t value;
    bool is_in_block;       /* of the heap; else at a root */
    struct block holder;    /* that block, */
    size_t offset;          /* and where in it */
    struct root_place root;
    size_t number;          /* in the order in which they were found */
};

/* By block, in the order of addresses; then roots first. */
struct dangling {
    struct dangling_pointer *pointers;
    size_t count;
    size_t freed_blocks; /* that are held, pointed to or not */
    size_t freed_bytes;
};

/* The freed block that the address lies in, if it is one that nobody has got since. */
bool dangling_block_at(uintptr_t address, struct block *block_out);

/* Those to all freed blocks, or to one, `only`. Returns 0 or -ENOMEM. */
int dangling_find(const struct block *only, struct dangling *dangling_out);
void dangling_free(struct dangling *dangling);

#endif
