/* own/types: the types that the program has told us of, and what there is of each. */
#ifndef OWN_TYPES_H
#define OWN_TYPES_H

#include "base/compiler.h"
#include "heap/lookup.h"
#include "heap/typed.h"
#include "os/thread.h"

#include "gcalloc/type.h"

#include <stdint.h>

/* The id of a block's type, 0 for none. */
uint32_t types_id(const struct block *block);

/* The type, or NULL. */
gca_type *types_of(const struct block *block);

/* Gives the block, which is noted, a type, and counts it. Returns 0 or -ENOMEM. */
int types_set(const struct block *block, gca_type *type);

/* The block goes. */
void types_forget(const struct block *block);

gca_type *types_find_for(gca_site *site);

/* The type for which gca_new(T) stands here. */
static ALWAYS_INLINE gca_type *types_at(gca_site *site)
{
    gca_type *type = __atomic_load_n(&site->_type, __ATOMIC_ACQUIRE);
    return LIKELY(type != NULL) ? type : types_find_for(site);
}

/* ---- counting ---- */

extern struct typed_table *_Atomic types_table;

/* Of an id that is not 0. */
static ALWAYS_INLINE struct typed_entry *types_entry(uint32_t id)
{
    struct typed_table *known = atomic_load_explicit(&types_table, memory_order_acquire);
    return &known->chunks[(id - 1) / TYPED_CHUNK][(id - 1) % TYPED_CHUNK];
}

/* Returns the object: so the quick path that has made it ends with this call, and needs no register saved. */
void *types_count_shared(struct typed_entry *entry, uint64_t block_bytes, void *object);
void types_uncount_shared(struct typed_entry *entry, uint64_t block_bytes);

static ALWAYS_INLINE uint64_t types_get(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static ALWAYS_INLINE void types_put(_Atomic uint64_t *count, uint64_t value)
{
    atomic_store_explicit(count, value, memory_order_relaxed);
}

/* One more, `object`. While there is one thread only, plain arithmetic is as good, and takes a tenth of the time; the peak is what `current` was at most. */
static ALWAYS_INLINE void *types_count(struct typed_entry *entry, uint64_t block_bytes, void *object)
{
    if (UNLIKELY(!os_is_alone()))
        return types_count_shared(entry, block_bytes, object);
    uint64_t current = types_get(&entry->current) + 1;
    uint64_t bytes = types_get(&entry->current_bytes) + block_bytes;
    types_put(&entry->made, types_get(&entry->made) + 1);
    types_put(&entry->current, current);
    types_put(&entry->current_bytes, bytes);
    if (UNLIKELY(current > types_get(&entry->peak)))
        types_put(&entry->peak, current);
    if (UNLIKELY(bytes > types_get(&entry->peak_bytes)))
        types_put(&entry->peak_bytes, bytes);
    return object;
}

/* One less. */
static ALWAYS_INLINE void types_uncount(struct typed_entry *entry, uint64_t block_bytes)
{
    if (UNLIKELY(!os_is_alone()))
        return types_uncount_shared(entry, block_bytes);
    types_put(&entry->current, types_get(&entry->current) - 1);
    types_put(&entry->current_bytes, types_get(&entry->current_bytes) - block_bytes);
}

#endif
