/*
 * preload/api: gcalloc/heap.h, on top of the core.
 */
#include "gcalloc/heap.h"

#include "base/image.h"
#include "base/message.h"
#include "heap/allocate.h"
#include "heap/layout.h"
#include "heap/lookup.h"
#include "heap/runs.h"
#include "heap/statistics.h"
#include "heap/verify.h"
#include "heap/walk.h"
#include "preload/export.h"
#include "preload/report.h"

#include <errno.h>

EXPORT const char *gca_version(void)
{
    return PACKAGE_VERSION;
}

EXPORT int gca_heap_get_stats(gca_heap_stats *stats_out)
{
    return stats_out == NULL ? -EINVAL : report_collect(stats_out);
}

EXPORT size_t gca_heap_get_class_stats(gca_class_stats *rows, size_t row_count)
{
    gca_heap_stats stats;
    if (report_collect(&stats) != 0) /* starts the heap */
        return 0;
    run_lock();
    size_t count = statistics_collect_classes(image_now, rows, row_count);
    run_unlock();
    return count;
}

EXPORT size_t gca_trim(void)
{
    return heap_trim();
}

EXPORT bool gca_is_block(const void *pointer)
{
    return lookup_usable_size(pointer) != 0;
}

EXPORT bool gca_is_ours(const void *pointer)
{
    return layout_owns(pointer);
}

EXPORT size_t gca_usable_size(const void *pointer)
{
    return lookup_usable_size(pointer);
}

EXPORT void *gca_block_of(const void *address, size_t *size_bytes_out)
{
    struct block block;
    if (!lookup_block(address, &block) || !block_is_allocated(&block))
        return NULL;
    if (size_bytes_out != NULL)
        *size_bytes_out = block.size_bytes;
    return (void *)block.start;
}

EXPORT void *gca_alloc_leaf(size_t size_bytes)
{
    void *block = heap_allocate_leaf(size_bytes);
    if (block == NULL)
        errno = ENOMEM;
    return block;
}

EXPORT size_t gca_heap_walk(bool (*visit)(void *block, size_t size_bytes, void *context), void *context)
{
    return heap_walk(visit, context);
}

EXPORT int gca_heap_verify(void)
{
    const char *problem = heap_verify(false);
    if (problem == NULL)
        return 0;
    message_note("error: corrupted metadata: %s\n  see gcalloc(7), \"corrupted metadata\"", problem);
    return -EUCLEAN;
}
