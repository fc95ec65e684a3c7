/* own/types: the types that the program has told us of, and what there is of each. */
#ifndef OWN_TYPES_H
#define OWN_TYPES_H

#include "gcalloc/type.h"
#include "heap/lookup.h"

#include <stdint.h>

/* The id of a block's type, 0 for none. */
uint32_t types_id(const struct block *block);

/* Of an id that is not 0. */
gca_type *types_by_id(uint32_t id);

/* The type, or NULL. */
gca_type *types_of(const struct block *block);

/* Gives the block, which is noted, a type, and counts it. Returns 0 or -ENOMEM. */
int types_set(const struct block *block, gca_type *type);

/* The block goes. */
void types_forget(const struct block *block);

/* The type for which gca_new(T) stands here. */
gca_type *types_at(gca_site *site);

/* A type's count, for who knows it; `by` is 1 or -1. */
void types_count(uint32_t id, size_t block_bytes, int by);

#endif
