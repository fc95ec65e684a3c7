/*
 * tools/graph: the blocks of a snapshot and what points to what, for questions about single blocks.
 *
 * An address leads to a block as it does for the collector's marker: to its start, its inside, or its end; at every
 * multiple of four bytes, whatever the top 16 bits are. Between examine_begin() and examine_end().
 */
#ifndef TOOLS_GRAPH_H
#define TOOLS_GRAPH_H

#include "heap/lookup.h"
#include "tools/examine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One step of a path: a block, and where in it the address of the next one stands. */
struct graph_step {
    struct block block;
    size_t offset;   /* of the word that leads on; 0 in the last */
    uintptr_t value; /* of that word */
};

struct graph_amount {
    size_t blocks;
    size_t bytes;
};

/* How a block is held. */
struct graph_answer {
    bool is_reachable;
    struct root_place root;
    uintptr_t root_value; /* the word that was found there */
    struct graph_step *steps; /* from the root's block to the block asked for */
    size_t step_count;
    size_t dominator; /* index of the last step before it without which it would not be held; step_count if none */
    struct graph_amount freed; /* what would go with it, itself included */
    struct graph_step *holders; /* of one that is not reachable: blocks that point to it, some of them */
    size_t holder_count;
};

/* The allocated block that the address lies in. */
bool graph_block_at(uintptr_t address, struct block *block_out);

/* How good a root is to tell people: 0 is best. */
typedef unsigned graph_rank(struct root_place place);

/* Returns 0 or -ENOMEM. */
int graph_ask(const struct block *block, graph_rank *rank, struct graph_answer *answer_out);
void graph_answer_free(struct graph_answer *answer);

#endif
