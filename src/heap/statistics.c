/*
 * heap/statistics: what the heap holds, counted from the tables when asked.
 *
 * Locks: none of its own, see statistics.h.
 */
#include "heap/statistics.h"

#include "base/bits.h"
#include "base/image.h"
#include "heap/limbo.h"
#include "heap/sizes.h"
#include "heap/span.h"
#include "heap/thread.h"

#include <errno.h>
#include <string.h>

static bool image_is_ours(const struct image *image)
{
    return image != NULL && memcmp(image->magic, IMAGE_MAGIC, sizeof image->magic) == 0 &&
           image->version == IMAGE_VERSION && image->header_bytes == sizeof(struct image) &&
           image->unit_descriptor_bytes == sizeof(struct unit) && image->span_record_bytes == sizeof(struct span);
}

static bool in_metadata(const struct image *image, const void *piece, size_t size_bytes)
{
    size_t offset = (uintptr_t)piece - image->metadata_start;
    size_t used = atomic_load_explicit(&image->metadata_used_bytes, memory_order_acquire);
    return offset < used && size_bytes <= used - offset;
}

static const struct unit *unit_of(const struct image *image, size_t index)
{
    return (const struct unit *)image->units_start + index;
}

/* A record in the metadata that can be looked at, torn as it may be. */
static bool is_record(const struct image *image, const void *record, size_t size_bytes)
{
    return in_metadata(image, record, size_bytes) && (uintptr_t)record % sizeof(void *) == 0;
}

/*
 * The span that starts at this unit and ends at or before the limit, copied so that it can't change under us; false if
 * there is none or it is torn.
 */
static bool read_span(const struct image *image, size_t index, size_t limit, struct span *span_out)
{
    const struct span *span = unit_of(image, index)->span;
    if (!is_record(image, span, sizeof *span))
        return false;
    *span_out = *span;
    return span_out->first_unit == index && span_out->unit_count != 0 && span_out->unit_count <= limit - index &&
           span_out->slot_bytes != 0;
}

static size_t count_allocated(const struct image *image, const struct span *span)
{
    if (!in_metadata(image, span->states, span->slot_count))
        return 0;
    size_t allocated = 0;
    for (uint32_t i = 0; i < span->slot_count; i++)
        allocated += slot_is_allocated(slot_state_get(&span->states[i]));
    return allocated;
}

/* Visits every span, large blocks too: the descriptor says which it is. */
static void each_span(const struct image *image,
                      void (*visit)(const struct image *image, const struct span *span, bool is_large, void *context),
                      void *context)
{
    size_t limit = atomic_load_explicit(&image->units_used, memory_order_acquire);
    if (limit > image->unit_limit)
        limit = image->unit_limit;
    for (size_t i = 0; i < limit;) {
        struct span span;
        if (!read_span(image, i, limit, &span)) {
            i++;
            continue;
        }
        visit(image, &span, unit_of(image, i)->kind == UNIT_LARGE, context);
        i += span.unit_count;
    }
}

/* A thread may keep a large block that it has freed. */
static bool is_allocated_large(const struct image *image, const struct span *span)
{
    const struct unit *first = unit_of(image, span->first_unit);
    return slot_is_allocated(atomic_load_explicit(&first->large_state, memory_order_relaxed));
}

static void add_to_stats(const struct image *image, const struct span *span, bool is_large, void *context)
{
    gca_heap_stats *stats = context;
    stats->span_bytes += (uint64_t)span->unit_count << UNIT_SHIFT;
    if (is_large && !is_allocated_large(image, span)) {
        stats->free_slot_bytes += span->slot_bytes;
        return;
    }
    if (is_large && unit_of(image, span->first_unit)->use != USE_MALLOC) {
        stats->chunks++;
        stats->chunk_bytes += span->slot_bytes;
        return;
    }
    if (is_large) {
        stats->blocks++;
        stats->large_blocks++;
        stats->large_bytes += span->slot_bytes;
        stats->allocated_bytes += span->slot_bytes;
        return;
    }
    size_t allocated = count_allocated(image, span);
    stats->spans++;
    stats->blocks += allocated;
    stats->allocated_bytes += allocated * span->slot_bytes;
    stats->free_slot_bytes += (span->slot_count - allocated) * span->slot_bytes;
}

static void count_threads(const struct image *image, gca_heap_stats *stats)
{
    const struct thread_heap *heap = image->heaps;
    for (size_t guard = 0; heap != NULL && is_record(image, heap, sizeof *heap) && guard < 1u << 22; guard++) {
        if (atomic_load_explicit(&heap->parked, memory_order_relaxed) != 0)
            stats->parked_threads++;
        else
            stats->threads++;
        heap = heap->next;
    }
}

int statistics_collect(const struct image *image, gca_heap_stats *stats_out)
{
    if (!image_is_ours(image) || stats_out == NULL)
        return -EINVAL;
    gca_heap_stats stats = {0};
    each_span(image, add_to_stats, &stats);
    count_threads(image, &stats);
    size_t units = atomic_load_explicit(&image->units_committed, memory_order_relaxed);
    stats.dirty_bytes = atomic_load_explicit(&image->units_dirty, memory_order_relaxed) << UNIT_SHIFT;
    stats.committed_bytes = (uint64_t)units << UNIT_SHIFT;
    stats.metadata_bytes = atomic_load_explicit(&image->metadata_used_bytes, memory_order_relaxed) +
                           atomic_load_explicit(&image->units_used, memory_order_relaxed) * sizeof(struct unit);
    stats.reserved_bytes = image->size_bytes;
    stats.purged_bytes = atomic_load_explicit(&image->purged_bytes, memory_order_relaxed);
    stats.moved_bytes = atomic_load_explicit(&image->moved_bytes, memory_order_relaxed);
    *stats_out = stats;
    return 0;
}

struct rows {
    gca_class_stats *rows;
    size_t count;
};

static void add_to_rows(const struct image *image, const struct span *span, bool is_large, void *context)
{
    const struct rows *rows = context;
    if (is_large || span->class_index >= rows->count)
        return;
    gca_class_stats *row = &rows->rows[span->class_index];
    row->spans++;
    row->slots += span->slot_count;
    row->blocks += count_allocated(image, span);
}

size_t statistics_collect_classes(const struct image *image, gca_class_stats *rows, size_t row_count)
{
    struct rows context = {rows, row_count < CLASS_COUNT ? row_count : CLASS_COUNT};
    if (context.count == 0 || !image_is_ours(image))
        return CLASS_COUNT;
    memset(rows, 0, context.count * sizeof *rows);
    for (size_t i = 0; i < context.count; i++)
        rows[i].slot_bytes = class_slot_bytes[i];
    each_span(image, add_to_rows, &context);
    return CLASS_COUNT;
}

static void add_held(const struct image *image, const struct span *span, bool is_large, void *context)
{
    struct statistics_held *held = context;
    uint64_t blocks = 0;
    if (is_large)
        blocks = slot_is_held(atomic_load_explicit(&unit_of(image, span->first_unit)->large_state, memory_order_relaxed));
    else if (in_metadata(image, span->states, span->slot_count))
        for (uint32_t i = 0; i < span->slot_count; i++)
            blocks += slot_is_held(slot_state_get(&span->states[i]));
    held->blocks += blocks;
    held->bytes += blocks * span->slot_bytes;
}

void statistics_collect_held(const struct image *image, struct statistics_held *held_out)
{
    *held_out = (struct statistics_held){0, 0};
    if (image_is_ours(image))
        each_span(image, add_held, held_out);
}
