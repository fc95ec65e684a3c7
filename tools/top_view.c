/*
 * tools/top_view: what `gcalloc top` shows, as text.
 *
 * Allocations and frees are counted nowhere, so a change is a net one, and the shorter the interval
 * the closer it comes to what went on.
 */
#include "tools/top_view.h"

#include "base/format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const top_order_names[TOP_ORDERS] = {"memory", "blocks", "change", "size"};

/* Text that lives until the end of the full expression it is used in. */
struct cell {
    char text[24];
};

static struct cell size_cell(uint64_t size_bytes)
{
    struct cell cell;
    struct text text = text_in(cell.text, sizeof cell.text);
    text_add_size(&text, size_bytes);
    return cell;
}

/* What is gained or lost per second; empty before the second sample. */
static double rate(const struct top_sample *now, const struct top_sample *before, uint64_t value,
                   uint64_t value_before)
{
    double passed_s = now->time_s - before->time_s;
    return before->taken && passed_s > 0 ? ((double)value - (double)value_before) / passed_s : 0;
}

static struct cell size_rate_cell(double bytes_per_s)
{
    struct cell cell = {"-"};
    if (bytes_per_s > -0.5 && bytes_per_s < 0.5)
        return cell;
    struct cell size =
        size_cell((uint64_t)(bytes_per_s < 0 ? -bytes_per_s + 0.5 : bytes_per_s + 0.5));
    snprintf(cell.text, sizeof cell.text, "%c%.16s", bytes_per_s < 0 ? '-' : '+', size.text);
    return cell;
}

static struct cell count_rate_cell(double count_per_s)
{
    struct cell cell = {"-"};
    if (count_per_s <= -0.5 || count_per_s >= 0.5)
        snprintf(cell.text, sizeof cell.text, "%+.0f", count_per_s);
    return cell;
}

/* A row of the upper table: a size, how it changes, and a remark. */
static void print_size_row(FILE *stream, const char *name, uint64_t size_bytes, double bytes_per_s,
                           const char *remark)
{
    fprintf(stream, "%-12s %10s %12s  %s\n", name, size_cell(size_bytes).text,
            size_rate_cell(bytes_per_s).text, remark);
}

static void print_blocks(FILE *stream, const struct top_sample *now,
                         const struct top_sample *before)
{
    const gca_heap_stats *heap = &now->heap;
    char change[48] = "";
    char remark[96];
    double blocks_per_s = rate(now, before, heap->blocks, before->heap.blocks);
    if (before->taken)
        snprintf(change, sizeof change, ", %s per second", count_rate_cell(blocks_per_s).text);
    snprintf(remark, sizeof remark, "%" PRIu64 " blocks%s", heap->blocks, change);
    print_size_row(stream, "allocated", heap->allocated_bytes,
                   rate(now, before, heap->allocated_bytes, before->heap.allocated_bytes), remark);
    snprintf(remark, sizeof remark, "%" PRIu64 " blocks beyond the size classes",
             heap->large_blocks);
    print_size_row(stream, "  large", heap->large_bytes,
                   rate(now, before, heap->large_bytes, before->heap.large_bytes), remark);
    snprintf(remark, sizeof remark, "in %" PRIu64 " spans", heap->spans);
    print_size_row(stream, "free slots", heap->free_slot_bytes,
                   rate(now, before, heap->free_slot_bytes, before->heap.free_slot_bytes), remark);
}

/* Freed, and neither reused nor returned as long as something may point to it. */
static void print_held(FILE *stream, const struct top_sample *now, const struct top_sample *before)
{
    char remark[96];
    if (now->held.blocks == 0 && before->held.blocks == 0)
        return;
    snprintf(remark, sizeof remark, "%" PRIu64 " freed blocks in quarantine", now->held.blocks);
    print_size_row(stream, "  held", now->held.bytes, rate(now, before, now->held.bytes, before->held.bytes), remark);
}

static void print_pages(FILE *stream, const struct top_sample *now, const struct top_sample *before)
{
    const gca_heap_stats *heap = &now->heap;
    char remark[96];
    snprintf(remark, sizeof remark, "kept for reuse; %s returned to the kernel so far",
             size_cell(heap->purged_bytes).text);
    print_size_row(stream, "free pages", heap->dirty_bytes,
                   rate(now, before, heap->dirty_bytes, before->heap.dirty_bytes), remark);
    snprintf(remark, sizeof remark, "thread heaps: %" PRIu64 ", parked: %" PRIu64, heap->threads,
             heap->parked_threads);
    print_size_row(stream, "metadata", heap->metadata_bytes,
                   rate(now, before, heap->metadata_bytes, before->heap.metadata_bytes), remark);
    print_size_row(stream, "resident", now->resident_bytes,
                   rate(now, before, now->resident_bytes, before->resident_bytes),
                   "the whole process");
}

static uint64_t cycles_of(const struct history *history)
{
    return history->kinds[HISTORY_YOUNG].cycles + history->kinds[HISTORY_FULL].cycles;
}

static uint64_t freed_of(const struct history *history)
{
    return history->kinds[HISTORY_YOUNG].freed_bytes + history->kinds[HISTORY_FULL].freed_bytes;
}

static void print_collections(FILE *stream, const struct top_sample *now,
                              const struct top_sample *before)
{
    const struct history *gc = &now->gc;
    char remark[128];
    char change[48] = "";
    if (before->taken)
        snprintf(change, sizeof change, ", %s per second",
                 count_rate_cell(rate(now, before, cycles_of(gc), cycles_of(&before->gc))).text);
    snprintf(remark, sizeof remark, "%" PRIu64 " collections%s, %" PRIu64 " of young blocks only",
             cycles_of(gc), change, gc->kinds[HISTORY_YOUNG].cycles);
    print_size_row(stream, "collected", freed_of(gc),
                   rate(now, before, freed_of(gc), freed_of(&before->gc)), remark);
    snprintf(remark, sizeof remark, "after the last collection; %.1f%% of what it saw",
             (double)gc->survived_permille[HISTORY_FULL] / 10);
    print_size_row(stream, "  live", gc->live_bytes,
                   rate(now, before, gc->live_bytes, before->gc.live_bytes), remark);
}

/* What part of the time since the last look threads stood still. */
static void print_pauses(FILE *stream, const struct top_sample *now, const struct top_sample *before)
{
    const struct history *gc = &now->gc;
    struct cell share = {"-"};
    double paused_ns = rate(now, before, gc->pause_ns, before->gc.pause_ns);
    if (paused_ns > 0)
        snprintf(share.text, sizeof share.text, "%.1f%%", paused_ns / 1e7);
    fprintf(stream, "%-12s %7.1f ms %12s  %" PRIu64 " times, %.1f ms at most, %.0f ms in all\n",
            "paused", gc->pauses == 0 ? 0 : (double)gc->pause_ns / (double)gc->pauses / 1e6,
            share.text, gc->pauses, (double)gc->pause_ns_max / 1e6, (double)gc->pause_ns / 1e6);
}

/* A class and its change, ready to be sorted. */
struct row {
    gca_class_stats now;
    double blocks_per_s;
};

static uint64_t row_bytes(const struct row *row)
{
    return row->now.slots * row->now.slot_bytes;
}

static double row_key(const struct row *row, enum top_order order)
{
    switch (order) {
    case TOP_BY_BLOCKS:
        return (double)row->now.blocks;
    case TOP_BY_CHANGE:
        return row->blocks_per_s < 0 ? -row->blocks_per_s : row->blocks_per_s;
    case TOP_BY_SIZE:
        return -(double)row->now.slot_bytes;
    default:
        return (double)row_bytes(row);
    }
}

/* Highest key first; equal ones by size, so that rows do not jump about. */
static int compare_rows(const void *left, const void *right, void *order)
{
    const struct row *a = left;
    const struct row *b = right;
    double key_a = row_key(a, *(const enum top_order *)order);
    double key_b = row_key(b, *(const enum top_order *)order);
    if (key_a != key_b)
        return key_a < key_b ? 1 : -1;
    return a->now.slot_bytes < b->now.slot_bytes ? -1 : a->now.slot_bytes > b->now.slot_bytes;
}

static size_t make_rows(struct row *rows, const struct top_sample *now,
                        const struct top_sample *before, enum top_order order)
{
    size_t count = 0;
    for (size_t i = 0; i < now->class_count; i++) {
        const gca_class_stats *class = &now->classes[i];
        if (class->spans == 0)
            continue;
        rows[count].now = *class;
        rows[count++].blocks_per_s = rate(now, before, class->blocks, before->classes[i].blocks);
    }
    qsort_r(rows, count, sizeof rows[0], compare_rows, &order);
    return count;
}

static void print_row(FILE *stream, const struct row *row)
{
    double full = row->now.slots > 0 ? 100.0 * (double)row->now.blocks / (double)row->now.slots : 0;
    fprintf(stream, "%8" PRIu32 " %8" PRIu32 " %10" PRIu64 " %10" PRIu64 " %5.1f%% %10s %10s\n",
            row->now.slot_bytes, row->now.spans, row->now.slots, row->now.blocks, full,
            size_cell(row_bytes(row)).text, count_rate_cell(row->blocks_per_s).text);
}

static void print_classes(FILE *stream, const struct top_view *view, const struct top_sample *now,
                          const struct top_sample *before)
{
    struct row rows[TOP_CLASSES_MAX];
    size_t count = make_rows(rows, now, before, view->order);
    fprintf(stream, "%s%8s %8s %10s %10s %6s %10s %10s%s\n", view->colour ? "\033[7m" : "", "SIZE",
            "SPANS", "SLOTS", "BLOCKS", "FULL", "MEMORY", "BLOCKS/S", view->colour ? "\033[m" : "");
    for (size_t i = 0; i < count; i++)
        print_row(stream, &rows[i]);
}

void top_view_print(FILE *stream, const struct top_view *view, const struct top_sample *now,
                    const struct top_sample *before)
{
    char clock[16];
    time_t time_now = time(NULL);
    struct tm local;
    strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&time_now, &local));
    fprintf(stream, "%s%s%s, process %d, at %s, classes by %s\n\n", view->colour ? "\033[1m" : "",
            view->program, view->colour ? "\033[m" : "", view->process_id, clock,
            top_order_names[view->order]);
    fprintf(stream, "%-12s %10s %12s\n", "", "now", "per second");
    print_blocks(stream, now, before);
    print_held(stream, now, before);
    print_pages(stream, now, before);
    if (now->gc.history_bytes != 0) {
        print_collections(stream, now, before);
        print_pauses(stream, now, before);
    }
    fputc('\n', stream);
    print_classes(stream, view, now, before);
}
