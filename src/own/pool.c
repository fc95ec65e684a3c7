/*
 * own/pool: objects of one size.
 *
 * Which objects are out is a bit each at the head of their chunk, so that one given back twice, or not the pool's, is
 * found whatever it holds; nothing is written into free ones. The lowest free object of the newest chunk with any comes
 * first. The pool lies in its first chunk, and every chunk leads to it.
 *
 * Uses base, heap. Locks: none.
 */
#include "own/pool.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "heap/chunk.h"
#include "heap/misuse.h"
#include "heap/unit.h"
#include "os/sanitizer.h"
#include "own/arena.h"
#include "own/export.h"

#include <errno.h>
#include <string.h>

enum { CHUNK_BYTES_MAX = 64 * UNIT_BYTES, OBJECT_BYTES_MAX = 64 * 1024, ALIGN_BYTES_MAX = 4096 };

static const char *const section = "pool misuse";

static const char *name_of(const struct pool *pool)
{
    return pool->name != NULL ? pool->name : "?";
}

static struct pool *pool_around(const void *address)
{
    struct pool_chunk *chunk = chunk_of(address, USE_POOL);
    return chunk != NULL && chunk->magic == (uintptr_t)chunk ? chunk->pool : NULL;
}

void pool_describe(struct text *text, const void *address)
{
    const struct pool *pool = pool_around(address);
    if (pool == NULL)
        text_add(text, "memory of a table of handles");
    else if (pool->name == NULL)
        text_add(text, "memory of the pool at %p", (const void *)pool);
    else
        text_add(text, "memory of pool \"%s\"", pool->name);
}

static struct pool *checked(const gca_pool *shared, const char *function, void *caller)
{
    struct pool *pool = (struct pool *)(uintptr_t)shared;
    if (LIKELY(pool != NULL && pool_around(pool) == pool))
        return pool;
    misuse_other(section, caller, "%s(%p): not a pool, or one that is gone", function, (const void *)shared);
    errno = EINVAL;
    return NULL;
}

/* ---- chunks ---- */

/* As many objects as there is room for behind the chunk's head, `taken_bytes`, and their bits. */
static uint32_t objects_in(const struct pool *pool, size_t usable_bytes, size_t taken_bytes)
{
    size_t count = (usable_bytes - taken_bytes) / pool->object_bytes;
    while (count != 0 && round_up(taken_bytes + words_for(count) * sizeof(uint64_t), pool->align_bytes) +
                                 count * pool->object_bytes > usable_bytes)
        count--;
    return (uint32_t)count;
}

static void offer(struct pool *pool, struct pool_chunk *chunk)
{
    chunk->next_available = pool->available;
    chunk->is_available = true;
    pool->available = chunk;
}

/* The bits lie behind what the chunk begins with: its head, and in the first one the pool. */
static bool set_up(struct pool *pool, struct pool_chunk *chunk, size_t usable_bytes, size_t taken_bytes)
{
    uint32_t count = objects_in(pool, usable_bytes, taken_bytes);
    *chunk = (struct pool_chunk){
        .pool = pool,
        .magic = (uintptr_t)chunk,
        .next = pool->chunks,
        .count = count,
        .free_count = count,
        .free = (uint64_t *)((char *)chunk + taken_bytes),
        .usable_bytes = usable_bytes,
    };
    chunk->objects = (char *)chunk + round_up(taken_bytes + words_for(count) * sizeof(uint64_t), pool->align_bytes);
    memset(chunk->free, 0, words_for(count) * sizeof(uint64_t));
    bitmap_fill(chunk->free, 0, count, true);
    if (pool->is_watched)
        os_forbid(chunk->objects, count * pool->object_bytes);
    pool->chunks = chunk;
    pool->capacity += count;
    pool->capacity_bytes += usable_bytes;
    if (count != 0)
        offer(pool, chunk);
    return count != 0;
}

/* As much again as there is, within limits. */
COLD static bool grow(struct pool *pool)
{
    size_t usable_bytes;
    size_t wanted_bytes = pool->capacity_bytes < 4 * UNIT_BYTES ? 4 * UNIT_BYTES : pool->capacity_bytes;
    size_t least_bytes = sizeof(struct pool_chunk) + 2 * pool->object_bytes + pool->align_bytes + UNIT_BYTES;
    if (wanted_bytes < least_bytes)
        wanted_bytes = least_bytes;
    struct pool_chunk *chunk =
        chunk_take(wanted_bytes < CHUNK_BYTES_MAX ? wanted_bytes : CHUNK_BYTES_MAX, USE_POOL, &usable_bytes);
    return chunk != NULL && set_up(pool, chunk, usable_bytes, round_up(sizeof *chunk, CACHE_LINE_BYTES));
}

EXPORT gca_pool *gca_pool_new(const gca_pool_options *options)
{
    size_t align_bytes = options->align_bytes;
    if (align_bytes == 0)
        for (align_bytes = 1; align_bytes < 16 && options->object_bytes % (2 * align_bytes) == 0;)
            align_bytes *= 2;
    if (options->object_bytes == 0 || options->object_bytes > OBJECT_BYTES_MAX || !is_power_of_two(align_bytes) ||
        align_bytes > ALIGN_BYTES_MAX) {
        errno = EINVAL;
        return NULL;
    }
    size_t usable_bytes;
    misuse_register_chunks(own_describe);
    struct pool_chunk *chunk = chunk_take(UNIT_BYTES, USE_POOL, &usable_bytes);
    if (chunk == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    size_t head_bytes = round_up(sizeof *chunk, CACHE_LINE_BYTES);
    struct pool *pool = (struct pool *)((char *)chunk + head_bytes);
    *pool = (struct pool){
        .name = options->name,
        .object_bytes = round_up(options->object_bytes, align_bytes),
        .align_bytes = align_bytes,
        .objects_max = options->objects_max == 0 ? SIZE_MAX : options->objects_max,
        .drop = options->drop,
        .is_watched = os_program_is_watched(),
    };
    pool->reciprocal = UINT64_MAX / pool->object_bytes + 1;
    set_up(pool, chunk, usable_bytes, head_bytes + round_up(sizeof *pool, CACHE_LINE_BYTES));
    return (gca_pool *)pool;
}

/* ---- objects ---- */

EXPORT void *gca_pool_get(gca_pool *shared)
{
    struct pool *pool = (struct pool *)shared;
    if (UNLIKELY(pool->objects >= pool->objects_max) || (UNLIKELY(pool->available == NULL) && !grow(pool))) {
        errno = ENOMEM;
        return NULL;
    }
    struct pool_chunk *chunk = pool->available;
    while (chunk->free[chunk->first_free_word] == 0)
        chunk->first_free_word++;
    uint64_t *word = &chunk->free[chunk->first_free_word];
    size_t index = chunk->first_free_word * WORD_BITS + bit_lowest(*word);
    *word &= *word - 1;
    pool->objects++;
    if (--chunk->free_count == 0) {
        chunk->is_available = false;
        pool->available = chunk->next_available;
    }
    char *object = chunk->objects + index * pool->object_bytes;
    if (UNLIKELY(pool->is_watched))
        os_permit(object, pool->object_bytes);
    return object;
}

static bool is_out(const struct pool_chunk *chunk, size_t index)
{
    return !bitmap_get(chunk->free, index);
}

/* The chunk of the pool's that an address lies in, or NULL. Most units say by themselves where their chunk begins. */
static struct pool_chunk *chunk_around(const struct pool *pool, const void *address)
{
    if (!heap_contains(address))
        return NULL;
    const struct unit *unit = unit_at(address);
    struct pool_chunk *chunk = LIKELY(unit->kind == UNIT_LARGE && unit->use == USE_POOL)
                                   ? (struct pool_chunk *)unit->start
                                   : chunk_of(address, USE_POOL);
    return chunk != NULL && chunk->magic == (uintptr_t)chunk && chunk->pool == pool ? chunk : NULL;
}

EXPORT void gca_pool_put(gca_pool *shared, void *object)
{
    struct pool *pool = (struct pool *)shared;
    if (object == NULL)
        return;
    struct pool_chunk *chunk = chunk_around(pool, object);
    if (UNLIKELY(chunk == NULL || (char *)object < chunk->objects)) {
        misuse_other(section, CALLER, "gca_pool_put: %p is no object of pool \"%s\"", object, name_of(pool));
        return;
    }
    size_t offset = (size_t)((char *)object - chunk->objects);
    size_t index = pool->object_bytes == 1 ? offset : (size_t)((unsigned __int128)offset * pool->reciprocal >> 64);
    if (UNLIKELY(index >= chunk->count || index * pool->object_bytes != offset)) {
        misuse_other(section, CALLER, "gca_pool_put: %p is inside an object of pool \"%s\"", object, name_of(pool));
        return;
    }
    if (UNLIKELY(!is_out(chunk, index))) {
        misuse_other(section, CALLER, "gca_pool_put: %p of pool \"%s\" is free already", object, name_of(pool));
        return;
    }
    if (UNLIKELY(pool->is_watched))
        os_forbid(object, pool->object_bytes);
    bitmap_fill(chunk->free, index, 1, true);
    if (index / WORD_BITS < chunk->first_free_word)
        chunk->first_free_word = (uint32_t)(index / WORD_BITS);
    chunk->free_count++;
    pool->objects--;
    if (!chunk->is_available)
        offer(pool, chunk);
}

/* ---- the whole pool ---- */

static void drop_all(struct pool *pool)
{
    for (struct pool_chunk *chunk = pool->chunks; chunk != NULL; chunk = chunk->next)
        for (size_t i = 0; i < chunk->count; i++)
            if (is_out(chunk, i))
                pool->drop(chunk->objects + i * pool->object_bytes);
}

/* The first chunk, which the pool lies in, is the last of the list. */
EXPORT void gca_pool_free(gca_pool *shared)
{
    if (shared == NULL)
        return;
    struct pool *pool = checked(shared, "gca_pool_free", CALLER);
    if (pool == NULL)
        return;
    if (pool->drop != NULL)
        drop_all(pool);
    for (struct pool_chunk *next, *chunk = pool->chunks; chunk != NULL; chunk = next) {
        next = chunk->next;
        chunk->magic = 0;
        if (pool->is_watched)
            os_permit(chunk->objects, chunk->count * pool->object_bytes);
        chunk_put(chunk);
    }
}

EXPORT void gca_pool_get_stats(const gca_pool *shared, gca_pool_stats *stats_out)
{
    const struct pool *pool = checked(shared, "gca_pool_get_stats", CALLER);
    gca_pool_stats stats = {0};
    if (pool != NULL) {
        stats.objects = pool->objects;
        stats.object_bytes = pool->object_bytes;
        stats.align_bytes = pool->align_bytes;
        stats.capacity = pool->capacity;
        stats.capacity_bytes = pool->capacity_bytes;
        for (const struct pool_chunk *chunk = pool->chunks; chunk != NULL; chunk = chunk->next)
            stats.chunks++;
    }
    *stats_out = stats;
}

bool pool_object(const void *address, uintptr_t *start_out, size_t *size_out)
{
    const struct pool_chunk *chunk = chunk_of(address, USE_POOL);
    if (chunk == NULL || chunk->magic != (uintptr_t)chunk || (const char *)address < chunk->objects)
        return false;
    size_t object_bytes = chunk->pool->object_bytes;
    size_t index = (size_t)((const char *)address - chunk->objects) / object_bytes;
    if (index >= chunk->count || !is_out(chunk, index))
        return false;
    *start_out = (uintptr_t)(chunk->objects + index * object_bytes);
    *size_out = object_bytes;
    return true;
}

EXPORT gca_pool *gca_pool_of(const void *address)
{
    return (gca_pool *)pool_around(address);
}
