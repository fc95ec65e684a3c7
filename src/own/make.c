/*
 * own/make: objects begin.
 *
 * Most are of a class whose spans have typed objects already: their slots are taken from the thread's buffer here, as malloc
 * does it, with what is noted of them.
 *
 * Uses base, heap. Locks: none of its own.
 */
#include "base/bits.h"
#include "heap/allocate.h"
#include "heap/noted.h"
#include "heap/span.h"
#include "own/cycles.h"
#include "own/export.h"
#include "own/self.h"
#include "own/types.h"

#include "gcalloc/own.h"

#include <errno.h>
#include <string.h>

/* ---- any object ---- */

static void *allocate(size_t size_bytes, size_t align_bytes)
{
    if (LIKELY(align_bytes <= BLOCK_ALIGNMENT))
        return heap_allocate_zeroed(size_bytes);
    void *block = size_bytes <= BLOCK_BYTES_MAX - align_bytes ? heap_allocate_aligned(size_bytes, align_bytes) : NULL;
    return block != NULL ? memset(block, 0, size_bytes) : NULL;
}

/* Objects that only hold each other may be all that stands in the way. */
COLD static void *allocate_again(size_t size_bytes, size_t align_bytes)
{
    return cycles_run(0) != 0 ? allocate(size_bytes, align_bytes) : NULL;
}

/* A noted object of the type; NULL and ENOMEM. */
static void *make(gca_type *type, size_t size_bytes, size_t align_bytes)
{
    struct block block;
    void *object = allocate(size_bytes, align_bytes);
    if (object == NULL)
        object = allocate_again(size_bytes, align_bytes);
    if (object != NULL && lookup_block(object, &block)) {
        own_start();
        if (note_need(&block) != NULL && types_set(&block, type) == 0)
            return object;
        heap_free(object);
    }
    errno = ENOMEM;
    return NULL;
}

/* ---- most of them ---- */

/* Where the next object may lie, and where its type's id goes; NULL: make() has to see to it. */
static ALWAYS_INLINE struct buffer *find_next(size_t size_bytes, struct spot *spot, uint32_t **id_out)
{
    struct buffer *buffer = heap_next_noted(size_bytes, spot);
    uint32_t *ids = LIKELY(buffer != NULL) ? spot_column(spot, COLUMN_TYPE) : NULL;
    if (UNLIKELY(ids == NULL) || UNLIKELY(ids[spot->index] != 0))
        return NULL;
    *id_out = &ids[spot->index];
    return buffer;
}

/* The same as make(), if all is as usual. NULL if not. */
static ALWAYS_INLINE void *make_quickly(struct typed_entry *entry, uint32_t id, size_t size_bytes)
{
    struct spot spot;
    uint32_t *id_place;
    struct buffer *buffer = find_next(size_bytes, &spot, &id_place);
    if (UNLIKELY(buffer == NULL))
        return NULL;
    heap_take_noted(buffer, &spot, size_bytes);
    *id_place = id;
    return types_count(entry, spot.unit->slot_bytes, spot.slot);
}

static ALWAYS_INLINE void *make_of(const gca_type *type, size_t size_bytes)
{
    uint32_t id = type->id;
    return LIKELY(id != 0) ? make_quickly(types_entry(id), id, size_bytes) : NULL;
}

/* A function of its own, for it calls memset(), for which the other would have to save registers. */
NOINLINE static void *make_at(gca_site *site)
{
    gca_type *type = types_at(site);
    void *object = LIKELY(site->align_bytes <= BLOCK_ALIGNMENT) ? make_of(type, site->size_bytes) : NULL;
    return object != NULL ? object : make(type, site->size_bytes, site->align_bytes);
}

EXPORT void *gca_new_at(gca_site *site)
{
    struct typed_entry *entry = __atomic_load_n(&site->_entry, __ATOMIC_ACQUIRE);
    size_t size_bytes = site->size_bytes;
    if (UNLIKELY(size_bytes > NOTED_SMALL_BYTES)) /* has no entry, which compilers do not know */
        return make_at(site);
    void *object = LIKELY(entry != NULL) ? make_quickly(entry, site->_id, size_bytes) : NULL;
    return LIKELY(object != NULL) ? object : make_at(site);
}

EXPORT void *gca_new_of(gca_type *type)
{
    void *object = make_of(type, type->size_bytes);
    return LIKELY(object != NULL) ? object : make(type, type->size_bytes, 1);
}

EXPORT void *gca_new_alone_at(gca_site *site)
{
    size_t align_bytes = site->align_bytes > CACHE_LINE_BYTES ? site->align_bytes : CACHE_LINE_BYTES;
    return make(types_at(site), round_up(site->size_bytes, CACHE_LINE_BYTES), align_bytes);
}

EXPORT void *gca_alloc_lines(size_t size_bytes)
{
    void *block = size_bytes <= BLOCK_BYTES_MAX / 2
                      ? heap_allocate_aligned(round_up(size_bytes + (size_bytes == 0), CACHE_LINE_BYTES), CACHE_LINE_BYTES)
                      : NULL;
    if (block == NULL)
        errno = ENOMEM;
    return block;
}

/* ---- counted ones ---- */

static ALWAYS_INLINE void count_first(struct note *note, uint32_t holder)
{
    atomic_store_explicit(&note->strong, 1, memory_order_relaxed);
    atomic_store_explicit(&note->holder, holder, memory_order_release);
}

NOINLINE static void *make_counted(gca_site *site)
{
    if (merge_waits())
        merge_own();
    void *object = make_at(site);
    struct note *note = object != NULL ? own_note(object) : NULL;
    if (note == NULL)
        return NULL;
    uint32_t thread = merge_number();
    uint32_t cyclic = site->_type->pointer_count != 0 ? HOLDER_CYCLIC | HOLDER_WATCHED : 0;
    if (thread == 0)
        atomic_store_explicit(&note->others, OTHERS_ONE | OTHERS_MERGED, memory_order_relaxed);
    count_first(note, HOLDER_COUNTED | cyclic | thread);
    if (thread == 0)
        atomic_store_explicit(&note->strong, 0, memory_order_relaxed);
    return object;
}

EXPORT void *gca_rc_new_at(gca_site *site)
{
    struct spot spot;
    uint32_t *id_place;
    struct typed_entry *entry = __atomic_load_n(&site->_entry, __ATOMIC_ACQUIRE);
    uint32_t thread = own_self.thread;
    size_t size_bytes = site->size_bytes;
    if (UNLIKELY(entry == NULL) || UNLIKELY(size_bytes > NOTED_SMALL_BYTES) || UNLIKELY(thread == 0) || UNLIKELY(merge_waits()))
        return make_counted(site);
    struct buffer *buffer = find_next(size_bytes, &spot, &id_place);
    if (UNLIKELY(buffer == NULL))
        return make_counted(site);
    heap_take_noted(buffer, &spot, size_bytes);
    *id_place = site->_id;
    count_first(spot.note, site->_holder | thread);
    return types_count(entry, spot.unit->slot_bytes, spot.slot);
}
