#include "tools/report/sites.h"

#include "tools/report/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

unsigned sites_classes(const struct report *report, unsigned classes)
{
    if (classes != 0)
        return classes;
    if (report->is_snapshot)
        return ~(1u << CLASS_INDIRECT | 1u << CLASS_SUPPRESSED | 1u << CLASS_RECLAIMED);
    return 1u << CLASS_DEFINITE | 1u << CLASS_POSSIBLE | 1u << CLASS_RECLAIMED;
}

/* A report without ids has stacks at least. */
int sites_compare_ids(const struct report_record *left, const struct report_record *right)
{
    int order = strcmp(left->id, right->id);
    if (order != 0 || *left->id != '\0')
        return order;
    return (left->stack > right->stack) - (left->stack < right->stack);
}

static int order_records(const void *left, const void *right)
{
    const struct report_record *a = *(const struct report_record *const *)left;
    const struct report_record *b = *(const struct report_record *const *)right;
    if (a->class != b->class)
        return a->class < b->class ? -1 : 1;
    if (a->is_inherited != b->is_inherited)
        return a->is_inherited ? 1 : -1;
    int order = sites_compare_ids(a, b);
    if (order != 0)
        return order;
    if (a->own.bytes != b->own.bytes)
        return a->own.bytes > b->own.bytes ? -1 : 1;
    return (a > b) - (a < b);
}

static bool is_same_site(const struct report_record *a, const struct report_record *b)
{
    return a->class == b->class && a->is_inherited == b->is_inherited &&
           sites_compare_ids(a, b) == 0;
}

static void add_thread(struct site *site, const struct report_thread *thread)
{
    for (size_t i = 0; i < site->thread_count; i++)
        if (site->threads[i] == thread)
            return;
    site->threads = memory_grow(site->threads, site->thread_count, sizeof *site->threads);
    site->threads[site->thread_count++] = thread;
}

static void add(struct report_amount *to, const struct report_amount *amount)
{
    to->blocks += amount->blocks;
    to->bytes += amount->bytes;
}

static void add_record(struct site *site, const struct report_record *record)
{
    struct report_amount total = report_record_total(record);
    add(&site->own, &record->own);
    add(&site->indirect, &record->indirect);
    add(&site->total, &total);
    site->is_estimate |= record->is_estimate;
    site->variance_bytes += (double)record->error_bytes * (double)record->error_bytes;
    if (record->age_min_ms >= 0 && (site->age_min_ms < 0 || record->age_min_ms < site->age_min_ms))
        site->age_min_ms = record->age_min_ms;
    if (record->age_max_ms > site->age_max_ms)
        site->age_max_ms = record->age_max_ms;
    if (site->size_min == 0 || (record->size_min != 0 && record->size_min < site->size_min))
        site->size_min = record->size_min;
    if (record->size_max > site->size_max)
        site->size_max = record->size_max;
    if (record->thread != NULL)
        add_thread(site, record->thread);
}

static int order_sites(const void *left, const void *right)
{
    const struct site *a = left;
    const struct site *b = right;
    if (a->total.bytes != b->total.bytes)
        return a->total.bytes > b->total.bytes ? -1 : 1;
    if (a->record->class != b->record->class)
        return a->record->class < b->record->class ? -1 : 1;
    return sites_compare_ids(a->record, b->record);
}

/* Blocks that no sample hit may all be part of others' estimates. */
static bool is_there(const struct report_record *record)
{
    return record->own.blocks > 0 || record->indirect.blocks > 0;
}

struct sites sites_make(const struct report *report, unsigned classes)
{
    struct sites sites = {.list = NULL};
    size_t count = 0;
    const struct report_record **records = memory_take(report->record_count, sizeof *records);
    classes = sites_classes(report, classes);
    for (size_t i = 0; i < report->record_count; i++)
        if (classes & 1u << report->records[i].class && is_there(&report->records[i]))
            records[count++] = &report->records[i];
    qsort(records, count, sizeof *records, order_records);
    sites.list = memory_take(count, sizeof *sites.list);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !is_same_site(records[i - 1], records[i]))
            sites.list[sites.count++] =
                (struct site){.record = records[i], .age_min_ms = -1, .age_max_ms = -1};
        add_record(&sites.list[sites.count - 1], records[i]);
        struct report_amount total = report_record_total(records[i]);
        add(&sites.total, &total);
    }
    free(records);
    qsort(sites.list, sites.count, sizeof *sites.list, order_sites);
    return sites;
}

void sites_free(struct sites *sites)
{
    for (size_t i = 0; i < sites->count; i++)
        free(sites->list[i].threads);
    free(sites->list);
    *sites = (struct sites){.list = NULL};
}

uint64_t sites_error_bytes(const struct site *site)
{
    return site->is_estimate ? (uint64_t)sqrt(site->variance_bytes) : 0;
}

/* A handful of blocks, or a second of them, is no trend. */
uint64_t sites_rate(const struct site *site)
{
    enum { BLOCKS_MIN = 4, SPAN_MIN_MS = 1000 };
    if (site->own.blocks < BLOCKS_MIN || site->age_min_ms < 0 ||
        site->age_max_ms - site->age_min_ms < SPAN_MIN_MS)
        return 0;
    return (uint64_t)((double)site->total.bytes * 1000 / (double)site->age_max_ms);
}
