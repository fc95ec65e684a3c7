/*
 * own/movable: objects that are reached by handles only, and can be moved.
 *
 * Objects lie behind each other in chunks, each with a note of 16 bytes before it; nothing is taken from the middle of a chunk. A chunk
 * without objects goes at once. A compaction copies what is left in chunks of many holes to the end of the newest, and the table of handles
 * forwards.
 *
 * Uses base, heap. Locks: none.
 */
#include "gcalloc/movable.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "heap/allocate.h"
#include "heap/chunk.h"
#include "heap/collector.h"
#include "heap/misuse.h"
#include "own/arena.h"
#include "own/export.h"

#include <errno.h>
#include <string.h>

enum { CHUNK_BYTES = 256 * 1024, GRAIN = 16 };

/* Before each object. */
struct movable_note {
    uint64_t handle; /* 0 when the object has gone */
    uint32_t grains; /* of the object and this */
    uint32_t pins;
};

_Static_assert(sizeof(struct movable_note) == GRAIN, "objects stay aligned");

struct movable_chunk {
    struct movable_chunk *older;
    struct gca_movables *table; /* where a pool's chunk has its magic: this is none */
    struct movable_chunk *newer;
    char *end; /* of what was handed out */
    char *limit;
    size_t usable_bytes;
    size_t object_bytes;
    size_t pins;
};

struct gca_movables {
    gca_handles *handles;
    struct movable_chunk *newest; /* which is filled */
    struct gca_movable_stats stats;
};

static char *first_object(struct movable_chunk *chunk)
{
    return (char *)chunk + round_up(sizeof *chunk, CACHE_LINE_BYTES);
}

static struct movable_note *note_before(void *object)
{
    return (struct movable_note *)object - 1;
}

static struct movable_chunk *chunk_around(const void *object)
{
    return chunk_of(object, USE_POOL);
}

/* ---- chunks ---- */

static struct movable_chunk *add_chunk(gca_movables *table, size_t size_bytes)
{
    size_t usable_bytes;
    size_t wanted_bytes = size_bytes + round_up(sizeof(struct movable_chunk), CACHE_LINE_BYTES);
    struct movable_chunk *chunk =
        chunk_take(wanted_bytes < CHUNK_BYTES ? CHUNK_BYTES : wanted_bytes, USE_POOL, &usable_bytes);
    if (chunk == NULL)
        return NULL;
    *chunk = (struct movable_chunk){.older = table->newest, .table = table, .usable_bytes = usable_bytes};
    chunk->end = first_object(chunk);
    chunk->limit = (char *)chunk + usable_bytes;
    if (chunk->older != NULL)
        chunk->older->newer = chunk;
    table->newest = chunk;
    heap_collector_copied(chunk, sizeof *chunk);
    heap_collector_stored(&table->newest, chunk);
    table->stats.chunks++;
    table->stats.capacity_bytes += usable_bytes;
    return chunk;
}

static void remove_chunk(gca_movables *table, struct movable_chunk *chunk)
{
    struct movable_chunk **place = chunk->newer != NULL ? &chunk->newer->older : &table->newest;
    *place = chunk->older;
    heap_collector_stored(place, chunk->older);
    if (chunk->older != NULL)
        chunk->older->newer = chunk->newer;
    table->stats.chunks--;
    table->stats.capacity_bytes -= chunk->usable_bytes;
    chunk_put(chunk);
}

/* Room at the end of the newest chunk, or of a new one; the note is made but for its handle. */
static struct movable_note *take(gca_movables *table, size_t grains)
{
    size_t size_bytes = grains * GRAIN;
    struct movable_chunk *chunk = table->newest;
    if ((chunk == NULL || (size_t)(chunk->limit - chunk->end) < size_bytes) &&
        (chunk = add_chunk(table, size_bytes)) == NULL)
        return NULL;
    struct movable_note *note = (struct movable_note *)(void *)chunk->end;
    *note = (struct movable_note){0, (uint32_t)grains, 0};
    chunk->end += size_bytes;
    chunk->object_bytes += size_bytes;
    return note;
}

/* ---- tables ---- */

EXPORT gca_movables *gca_movables_new(size_t objects_max)
{
    gca_movables *table = heap_allocate_zeroed(sizeof *table);
    if (table == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    misuse_register_chunks(own_describe);
    table->handles = gca_handles_new(objects_max);
    if (table->handles == NULL) {
        heap_free(table);
        return NULL;
    }
    return table;
}

EXPORT void gca_movables_free(gca_movables *table)
{
    if (table == NULL)
        return;
    while (table->newest != NULL)
        remove_chunk(table, table->newest);
    gca_handles_free(table->handles);
    heap_free(table);
}

/* ---- objects ---- */

EXPORT gca_handle gca_movable_new(gca_movables *table, size_t size_bytes)
{
    size_t grains = size_bytes / GRAIN + (size_bytes % GRAIN != 0) + 1;
    struct movable_note *note = grains <= UINT32_MAX ? take(table, grains) : NULL;
    if (note == NULL) {
        errno = ENOMEM;
        return (gca_handle){0};
    }
    memset(note + 1, 0, (grains - 1) * GRAIN);
    gca_handle handle = gca_handle_add(table->handles, note + 1);
    note->handle = handle.word;
    if (handle.word == 0) { /* the newest object of its chunk: as if it had not been */
        table->newest->end -= grains * GRAIN;
        table->newest->object_bytes -= grains * GRAIN;
        return handle;
    }
    table->stats.objects++;
    table->stats.object_bytes += grains * GRAIN;
    return handle;
}

EXPORT void *gca_movable_get(const gca_movables *table, gca_handle handle)
{
    return gca_handle_get(table->handles, handle);
}

EXPORT bool gca_movable_free(gca_movables *table, gca_handle handle)
{
    void *object = gca_handle_remove(table->handles, handle);
    if (object == NULL)
        return false;
    struct movable_note *note = note_before(object);
    struct movable_chunk *chunk = chunk_around(object);
    size_t size_bytes = (size_t)note->grains * GRAIN;
    table->stats.objects--;
    table->stats.object_bytes -= size_bytes;
    table->stats.pins -= note->pins;
    chunk->pins -= note->pins;
    chunk->object_bytes -= size_bytes;
    note->handle = 0;
    if (chunk->object_bytes == 0)
        remove_chunk(table, chunk);
    return true;
}

EXPORT void *gca_movable_pin(gca_movables *table, gca_handle handle)
{
    void *object = gca_handle_get(table->handles, handle);
    if (object == NULL)
        return NULL;
    note_before(object)->pins++;
    chunk_around(object)->pins++;
    table->stats.pins++;
    return object;
}

EXPORT void gca_movable_unpin(gca_movables *table, gca_handle handle)
{
    void *object = gca_handle_get(table->handles, handle);
    if (object == NULL || note_before(object)->pins == 0) {
        misuse_other("pool misuse", CALLER, "gca_movable_unpin: the object is not pinned, or has gone");
        return;
    }
    note_before(object)->pins--;
    chunk_around(object)->pins--;
    table->stats.pins--;
}

/* ---- compaction ---- */

static unsigned hole_permille(const gca_movables *table)
{
    size_t capacity_bytes = table->stats.capacity_bytes;
    return capacity_bytes == 0 ? 0 : (unsigned)((capacity_bytes - table->stats.object_bytes) * 1000 / capacity_bytes);
}

/* At least an eighth of what was handed out has gone; what is not handed out yet is no hole. */
static bool has_holes(struct movable_chunk *chunk)
{
    size_t handed_bytes = (size_t)(chunk->end - first_object(chunk));
    return chunk->object_bytes < handed_bytes - handed_bytes / 8;
}

/* False when memory is short; what was moved so far is. */
static bool empty_chunk(gca_movables *table, struct movable_chunk *chunk)
{
    struct movable_note *note;
    for (char *at = first_object(chunk); at < chunk->end; at += (size_t)note->grains * GRAIN) {
        note = (struct movable_note *)(void *)at;
        if (note->handle == 0)
            continue;
        size_t size_bytes = (size_t)note->grains * GRAIN;
        struct movable_note *moved = take(table, note->grains);
        if (moved == NULL)
            return false;
        memcpy(moved, note, size_bytes);
        heap_collector_copied(moved, size_bytes);
        gca_handle_replace(table->handles, (gca_handle){note->handle}, moved + 1);
        note->handle = 0;
        chunk->object_bytes -= size_bytes;
        table->stats.moved_objects++;
        table->stats.moved_bytes += size_bytes;
    }
    return true;
}

/* Nothing is moved into a chunk that is about to be emptied: the filling goes on in one without holes, or a new one. */
static bool prepare(gca_movables *table)
{
    bool is_needed = false;
    for (struct movable_chunk *chunk = table->newest; chunk != NULL; chunk = chunk->older)
        is_needed |= chunk->pins == 0 && has_holes(chunk);
    return is_needed && (!has_holes(table->newest) || add_chunk(table, 0) != NULL);
}

EXPORT size_t gca_movables_compact(gca_movables *table)
{
    size_t before_bytes = table->stats.capacity_bytes;
    table->stats.hole_permille_before = hole_permille(table);
    struct movable_chunk *first = prepare(table) ? table->newest->older : NULL;
    for (struct movable_chunk *older, *chunk = first; chunk != NULL; chunk = older) {
        older = chunk->older;
        if (chunk->pins != 0 || !has_holes(chunk))
            continue;
        if (!empty_chunk(table, chunk))
            break;
        remove_chunk(table, chunk);
    }
    if (table->newest != NULL && table->newest->object_bytes == 0)
        remove_chunk(table, table->newest);
    table->stats.compactions++;
    table->stats.hole_permille_after = hole_permille(table);
    return before_bytes > table->stats.capacity_bytes ? before_bytes - table->stats.capacity_bytes : 0;
}

EXPORT void gca_movables_get_stats(const gca_movables *table, gca_movable_stats *stats_out)
{
    *stats_out = table->stats;
}
