/*
 * leak/flood: from blocks to what they lead to, and on. Only src/leak/ includes this.
 *
 * As in gc/mark: a word that is found goes to a short list, and is looked at when its block's mark and the block have come into the
 * cache. Where so much is found that the list fills, blocks are in no order anyway: then they turn grey, and are read in the order
 * of their addresses, unit by unit, as long as there are several in one.
 *
 * One flood at a time. Its memory is that of the census, and one flag a unit: nothing overflows.
 */
#ifndef LEAK_FLOOD_H
#define LEAK_FLOOD_H

#include "leak/census.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is done to blocks that are LEAK_UNSEEN, LEAK_INNER or LEAK_FINISHED when a word holds them. */
struct flood_aim {
    enum leak_class class; /* they get it */
    size_t inner_bytes;    /* words up to so far behind the start hold a block, others if leak/inner says so */
    bool ends;             /* the address behind a block holds it, if no other block begins there */
};

/* census_start() has been called. Returns 0 or -ENOMEM. */
int flood_start(void);
void flood_end(void);

/* From now on this is done. What waits to be read has the same class, or nothing waits. */
void flood_aim(const struct flood_aim *aim);

/* What the word holds is taken, and waits to be read. */
void flood_word(uintptr_t word);

/* Takes the block, whatever it was, and reads it. */
void flood_take(const struct cell *cell);

/* Reads all that waits, and what that leads to. */
void flood_run(void);

/* Some block has become LEAK_INNER; so many have been taken since the aim was set. */
bool flood_has_inner(void);
size_t flood_taken(void);

#endif
