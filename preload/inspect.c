/*
 * preload/inspect: the calls of glibc's that ask about the heap or tune it.
 *
 * Tuning is accepted and ignored: the heap tunes itself. malloc_stats() and malloc_info() print what glibc's print, with
 * one arena.
 */
#include "base/image.h"
#include "base/message.h"
#include "heap/runs.h"
#include "heap/statistics.h"
#include "heap/walk.h"
#include "os/output.h"
#include "preload/export.h"
#include "preload/report.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

/* No stdio of libc's inside the core; malloc_info() is handed a stream, and fputs() is the only way into it. */
enum { INFO_BYTES = 1024 };

EXPORT int malloc_trim(size_t keep_bytes)
{
    (void)keep_bytes;
    return heap_trim() != 0;
}

/* What arenas and pools take counts here as large blocks do: glibc's interfaces know nothing else. */
static int collect(gca_heap_stats *stats_out)
{
    int result = report_collect(stats_out);
    if (result == 0) {
        stats_out->allocated_bytes += stats_out->chunk_bytes;
        stats_out->large_bytes += stats_out->chunk_bytes;
        stats_out->large_blocks += stats_out->chunks;
    }
    return result;
}

EXPORT int mallopt(int parameter, int value)
{
    (void)parameter;
    (void)value;
    return 1;
}

EXPORT struct mallinfo2 mallinfo2(void)
{
    gca_heap_stats stats;
    if (collect(&stats) != 0)
        return (struct mallinfo2){0};
    size_t small_bytes = stats.allocated_bytes - stats.large_bytes;
    return (struct mallinfo2){
        .arena = stats.span_bytes - stats.large_bytes + stats.dirty_bytes,
        .ordblks = stats.spans,
        .hblks = stats.large_blocks,
        .hblkhd = stats.large_bytes,
        .uordblks = small_bytes,
        .fordblks = stats.span_bytes - stats.allocated_bytes + stats.dirty_bytes,
        .keepcost = stats.dirty_bytes,
    };
}

static int as_int(size_t value)
{
    return value > INT_MAX ? INT_MAX : (int)value;
}

/* The old interface has ints; what does not fit is cut off at the largest, where glibc lets it wrap around. */
EXPORT struct mallinfo mallinfo(void)
{
    struct mallinfo2 wide = mallinfo2();
    return (struct mallinfo){
        .arena = as_int(wide.arena),
        .ordblks = as_int(wide.ordblks),
        .hblks = as_int(wide.hblks),
        .hblkhd = as_int(wide.hblkhd),
        .uordblks = as_int(wide.uordblks),
        .fordblks = as_int(wide.fordblks),
        .keepcost = as_int(wide.keepcost),
    };
}

EXPORT void malloc_stats(void)
{
    gca_heap_stats stats;
    if (collect(&stats) != 0)
        return;
    char buffer[INFO_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "Arena 0:\nsystem bytes     = %10lu\nin use bytes     = %10lu\n",
             stats.span_bytes - stats.large_bytes + stats.dirty_bytes, stats.allocated_bytes - stats.large_bytes);
    text_add(&text, "Total (incl. mmap):\nsystem bytes     = %10lu\nin use bytes     = %10lu\n",
             stats.span_bytes + stats.dirty_bytes, stats.allocated_bytes);
    text_add(&text, "max mmap regions = %10lu\nmax mmap bytes   = %10lu\n", stats.large_blocks, stats.large_bytes);
    os_write_all(2, text.bytes, text.length);
}

EXPORT int malloc_info(int options, FILE *stream)
{
    gca_heap_stats stats;
    if (options != 0 || stream == NULL)
        return EINVAL;
    if (collect(&stats) != 0)
        stats = (gca_heap_stats){0};
    char buffer[INFO_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    unsigned long system = stats.span_bytes + stats.dirty_bytes;
    unsigned long rest = system - stats.allocated_bytes;
    text_add(&text, "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n</sizes>\n");
    text_add(&text, "<total type=\"fast\" count=\"0\" size=\"0\"/>\n");
    text_add(&text, "<total type=\"rest\" count=\"%lu\" size=\"%lu\"/>\n", stats.spans, rest);
    text_add(&text, "<system type=\"current\" size=\"%lu\"/>\n<system type=\"max\" size=\"%lu\"/>\n", system, system);
    text_add(&text, "<aspace type=\"total\" size=\"%lu\"/>\n<aspace type=\"mprotect\" size=\"%lu\"/>\n</heap>\n",
             system, (unsigned long)stats.committed_bytes);
    text_add(&text, "<total type=\"fast\" count=\"0\" size=\"0\"/>\n");
    text_add(&text, "<total type=\"rest\" count=\"%lu\" size=\"%lu\"/>\n", stats.spans, rest);
    text_add(&text, "<total type=\"mmap\" count=\"%lu\" size=\"%lu\"/>\n", stats.large_blocks, stats.large_bytes);
    text_add(&text, "<system type=\"current\" size=\"%lu\"/>\n<system type=\"max\" size=\"%lu\"/>\n", system, system);
    text_add(&text, "<aspace type=\"total\" size=\"%lu\"/>\n<aspace type=\"mprotect\" size=\"%lu\"/>\n</malloc>\n",
             system, (unsigned long)stats.committed_bytes);
    return fputs(text.bytes, stream) < 0 ? -1 : 0;
}

EXPORT int __libc_mallopt(int parameter, int value) __attribute__((alias("mallopt"), leaf, nothrow));
EXPORT struct mallinfo __libc_mallinfo(void) __attribute__((alias("mallinfo"), leaf, nothrow));
