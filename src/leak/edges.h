/*
 * leak/edges: which lost blocks lead to which. Only src/leak/ includes this.
 *
 * Blocks are read once; from then on a block is its place in the census, and what it leads to a list of places. That takes a
 * fraction of the blocks' own memory, so whoever goes from one to the next mostly finds it in the cache.
 */
#ifndef LEAK_EDGES_H
#define LEAK_EDGES_H

#include <stdint.h>

/* The end of a list, and the list of a block that leads to none. */
#define EDGES_END UINT32_MAX

/* All lists, one behind the other. census.numbers says where a block's begins, until it is given another number. */
extern const uint32_t *edges_to;

/*
 * Notes them for all blocks that are LEAK_UNSEEN. A block's words for itself count; but held (MARK_HELD) are those that
 * others have words for. Returns 0 or -ENOMEM; edges_drop() in any case, and before roots are read again.
 */
int edges_find(void);
void edges_drop(void);

#endif
