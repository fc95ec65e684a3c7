/*
 * own/types: the types that the program has told us of, and what there is of each.
 *
 * The id of a block's type lies in its span's COLUMN_TYPE; names and counts in metadata, at image->types, where a tool finds
 * them. Types are never taken back.
 *
 * Uses os, base, heap. Locks: own_lock, to add a type.
 */
#include "own/types.h"

#include "base/counter.h"
#include "base/image.h"
#include "heap/metadata.h"
#include "heap/noted.h"
#include "heap/span.h"
#include "own/export.h"
#include "own/self.h"

#include <errno.h>
#include <string.h>

struct typed_table *_Atomic types_table;
static gca_type *_Atomic newest; /* all types, in the reverse order of their making; under own_lock */

/* ---- counting, with other threads ---- */

NOINLINE void *types_count_shared(struct typed_entry *entry, uint64_t block_bytes, void *object)
{
    counter_add(&entry->made, 1);
    counter_raise_to(&entry->peak, counter_add(&entry->current, 1));
    counter_raise_to(&entry->peak_bytes, counter_add(&entry->current_bytes, block_bytes));
    return object;
}

NOINLINE void types_uncount_shared(struct typed_entry *entry, uint64_t block_bytes)
{
    counter_add(&entry->current, (uint64_t)-1);
    counter_add(&entry->current_bytes, -block_bytes);
}

/* ---- types ---- */

static bool has_room(void)
{
    struct typed_table *known = atomic_load_explicit(&types_table, memory_order_relaxed);
    if (known == NULL) {
        own_start();
        known = metadata_take(sizeof *known);
        if (known == NULL)
            return false;
        image_now->types = known;
        atomic_store_explicit(&types_table, known, memory_order_release);
    }
    if (known->count == TYPED_CHUNKS_MAX * TYPED_CHUNK)
        return false;
    struct typed_entry **chunk = &known->chunks[known->count / TYPED_CHUNK];
    if (*chunk == NULL)
        *chunk = metadata_take(TYPED_CHUNK * sizeof **chunk);
    return *chunk != NULL;
}

static void add_locked(gca_type *type)
{
    if (type->id != 0 || !has_room())
        return;
    struct typed_table *known = atomic_load_explicit(&types_table, memory_order_relaxed);
    struct typed_entry *entry = &known->chunks[known->count / TYPED_CHUNK][known->count % TYPED_CHUNK];
    size_t length = strlen(type->name);
    memcpy(entry->name, type->name, length < sizeof entry->name ? length : sizeof entry->name - 1);
    entry->type = type;
    entry->size_bytes = type->size_bytes;
    type->next = atomic_load_explicit(&newest, memory_order_relaxed);
    atomic_store_explicit(&newest, type, memory_order_release);
    __atomic_store_n(&type->id, ++known->count, __ATOMIC_RELEASE);
}

EXPORT void gca_type_add(gca_type *type)
{
    own_start();
    lock_take(&own_lock);
    add_locked(type);
    lock_release(&own_lock);
}

static bool is_same(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcmp(one, other) == 0;
}

/* Of the site's own file if that says one, else of any that fits. */
static gca_type *find(const gca_site *site)
{
    gca_type *found = NULL;
    for (gca_type *type = atomic_load_explicit(&newest, memory_order_acquire); type != NULL; type = type->next) {
        if (type->size_bytes != site->size_bytes || !is_same(type->name, site->name))
            continue;
        if (is_same(type->file, site->file))
            return type;
        found = type;
    }
    return found;
}

/* For those that the quick halves of own/make.c can make. */
static void note_small(gca_site *site, const gca_type *type)
{
    if (type->id == 0 || site->align_bytes > BLOCK_ALIGNMENT || site->size_bytes > NOTED_SMALL_BYTES)
        return;
    site->_id = type->id;
    site->_holder = HOLDER_COUNTED | (type->pointer_count != 0 ? HOLDER_CYCLIC | HOLDER_WATCHED : 0);
    __atomic_store_n(&site->_entry, types_entry(type->id), __ATOMIC_RELEASE);
}

COLD gca_type *types_find_for(gca_site *site)
{
    own_start();
    lock_take(&own_lock);
    gca_type *type = find(site);
    if (type == NULL) {
        type = &site->own;
        type->name = site->name;
        type->size_bytes = site->size_bytes;
        add_locked(type);
    }
    note_small(site, type);
    __atomic_store_n(&site->_type, type, __ATOMIC_RELEASE);
    lock_release(&own_lock);
    return type;
}

/* ---- blocks ---- */

static uint32_t *ids_of(const struct block *block)
{
    return __atomic_load_n(&block->span->columns[COLUMN_TYPE], __ATOMIC_ACQUIRE);
}

uint32_t types_id(const struct block *block)
{
    const uint32_t *ids = ids_of(block);
    return ids != NULL ? ids[block->index] : 0;
}

gca_type *types_of(const struct block *block)
{
    uint32_t id = types_id(block);
    return id != 0 ? types_entry(id)->type : NULL;
}

int types_set(const struct block *block, gca_type *type)
{
    uint32_t *ids = span_need_column(block->span, COLUMN_TYPE);
    if (UNLIKELY(ids == NULL))
        return -ENOMEM;
    if (UNLIKELY(type->id == 0))
        gca_type_add(type);
    if (UNLIKELY(type->id == 0))
        return -ENOMEM;
    if (UNLIKELY(ids[block->index] != 0))
        types_forget(block);
    ids[block->index] = type->id;
    types_count(types_entry(type->id), block->size_bytes, NULL);
    return 0;
}

void types_forget(const struct block *block)
{
    uint32_t *ids = ids_of(block);
    if (ids == NULL || ids[block->index] == 0)
        return;
    types_uncount(types_entry(ids[block->index]), block->size_bytes);
    ids[block->index] = 0;
}

EXPORT int gca_tag(void *object, gca_type *type)
{
    struct block block;
    if (!own_block(object, &block) || block_usable(&block) < type->size_bytes)
        return -EINVAL;
    own_start();
    return note_need(&block) != NULL ? types_set(&block, type) : -ENOMEM;
}

EXPORT const gca_type *gca_type_of(const void *object)
{
    struct block block;
    return own_block(object, &block) ? types_of(&block) : NULL;
}

/* ---- asking ---- */

static gca_type_stats stats_of(uint32_t id)
{
    struct typed_entry *entry = types_entry(id);
    return (gca_type_stats){
        .made = atomic_load_explicit(&entry->made, memory_order_relaxed),
        .current = atomic_load_explicit(&entry->current, memory_order_relaxed),
        .current_bytes = atomic_load_explicit(&entry->current_bytes, memory_order_relaxed),
        .peak = atomic_load_explicit(&entry->peak, memory_order_relaxed),
        .peak_bytes = atomic_load_explicit(&entry->peak_bytes, memory_order_relaxed),
    };
}

EXPORT int gca_type_get_stats(const gca_type *type, gca_type_stats *stats_out)
{
    uint32_t id = __atomic_load_n(&type->id, __ATOMIC_ACQUIRE);
    *stats_out = id != 0 ? stats_of(id) : (gca_type_stats){0};
    return id != 0 ? 0 : -ENOENT;
}

EXPORT size_t gca_types_each(void (*visit)(const gca_type *type, const gca_type_stats *stats, void *context), void *context)
{
    struct typed_table *known = atomic_load_explicit(&types_table, memory_order_acquire);
    uint32_t count = known != NULL ? __atomic_load_n(&known->count, __ATOMIC_ACQUIRE) : 0;
    for (uint32_t id = 1; id <= count; id++) {
        gca_type_stats stats = stats_of(id);
        visit(types_entry(id)->type, &stats, context);
    }
    return count;
}
