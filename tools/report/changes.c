#include "tools/report/changes.h"

#include "tools/report/memory.h"

#include <stdlib.h>
#include <string.h>

const char *const change_state_names[] = {"new", "grown", "shrunk", "gone", "same"};

static int order_by_id(const void *left, const void *right)
{
    const struct site *a = left;
    const struct site *b = right;
    int order = sites_compare_ids(a->record, b->record);
    if (order != 0)
        return order;
    return (a->total.bytes < b->total.bytes) - (a->total.bytes > b->total.bytes);
}

/* Sites of one id, which differ in class only, become one: that of the largest, whose class it gets. */
static void join_ids(struct sites *sites)
{
    size_t kept = 0;
    if (sites->count > 0)
        qsort(sites->list, sites->count, sizeof *sites->list, order_by_id);
    for (size_t i = 0; i < sites->count; i++) {
        struct site *site = &sites->list[i];
        struct site *last = kept > 0 ? &sites->list[kept - 1] : NULL;
        if (last == NULL || sites_compare_ids(last->record, site->record) != 0) {
            sites->list[kept++] = *site;
            continue;
        }
        last->own.blocks += site->own.blocks;
        last->own.bytes += site->own.bytes;
        last->indirect.blocks += site->indirect.blocks;
        last->indirect.bytes += site->indirect.bytes;
        last->total.blocks += site->total.blocks;
        last->total.bytes += site->total.bytes;
        last->is_estimate |= site->is_estimate;
        last->variance_bytes += site->variance_bytes;
        free(site->threads);
    }
    sites->count = kept;
}

static enum change_state state_of(const struct change *change)
{
    if (change->before.total.blocks == 0)
        return CHANGE_NEW;
    if (change->after.total.blocks == 0)
        return CHANGE_GONE;
    if (change->bytes != 0)
        return change->bytes > 0 ? CHANGE_GROWN : CHANGE_SHRUNK;
    if (change->blocks != 0)
        return change->blocks > 0 ? CHANGE_GROWN : CHANGE_SHRUNK;
    return CHANGE_NONE;
}

static void add_change(struct changes *changes, const struct site *before, const struct site *after)
{
    struct change *change = &changes->list[changes->count++];
    if (before != NULL)
        change->before = *before;
    if (after != NULL)
        change->after = *after;
    change->blocks =
        (int64_t)change->after.total.blocks - (int64_t)change->before.total.blocks;
    change->bytes = (int64_t)change->after.total.bytes - (int64_t)change->before.total.bytes;
    change->state = state_of(change);
    if (changes->between_ms > 0)
        change->rate = (int64_t)((double)change->bytes * 1000 / (double)changes->between_ms);
    if (change->state != CHANGE_NONE)
        changes->changed_count++;
}

static void merge(struct changes *changes)
{
    const struct sites *before = &changes->sites_before;
    const struct sites *after = &changes->sites_after;
    size_t i = 0;
    size_t j = 0;
    while (i < before->count || j < after->count) {
        int order = i == before->count  ? 1
                    : j == after->count ? -1
                                        : sites_compare_ids(before->list[i].record,
                                                            after->list[j].record);
        add_change(changes, order <= 0 ? &before->list[i] : NULL,
                   order >= 0 ? &after->list[j] : NULL);
        i += order <= 0;
        j += order >= 0;
    }
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static int order_by_change(const void *left, const void *right)
{
    const struct change *a = left;
    const struct change *b = right;
    if ((a->state == CHANGE_NONE) != (b->state == CHANGE_NONE))
        return a->state == CHANGE_NONE ? 1 : -1;
    if (magnitude(a->bytes) != magnitude(b->bytes))
        return magnitude(a->bytes) > magnitude(b->bytes) ? -1 : 1;
    return sites_compare_ids(change_site(a)->record, change_site(b)->record);
}

/* Rates mean something while one process runs on. */
static int64_t time_between(const struct report *before, const struct report *after)
{
    bool is_same = before->process_id == after->process_id &&
                   strcmp(before->program, after->program) == 0 &&
                   after->running_ms >= before->running_ms;
    return is_same && after->taken_ms > before->taken_ms ? after->taken_ms - before->taken_ms : 0;
}

struct changes changes_make(const struct render *before, const struct render *after)
{
    struct changes changes = {.before = *before, .after = *after};
    changes.between_ms = time_between(before->report, after->report);
    /* A snapshot and a report of leaks have the classes of the one that has fewer in common. */
    unsigned classes = sites_classes(before->report, after->classes) &
                       sites_classes(after->report, after->classes);
    changes.sites_before = sites_make(before->report, classes);
    changes.sites_after = sites_make(after->report, classes);
    join_ids(&changes.sites_before);
    join_ids(&changes.sites_after);
    changes.list = memory_take(changes.sites_before.count + changes.sites_after.count,
                               sizeof *changes.list);
    merge(&changes);
    qsort(changes.list, changes.count, sizeof *changes.list, order_by_change);
    return changes;
}

void changes_free(struct changes *changes)
{
    sites_free(&changes->sites_before);
    sites_free(&changes->sites_after);
    free(changes->list);
}

const struct site *change_site(const struct change *change)
{
    return change->after.record != NULL ? &change->after : &change->before;
}

const struct render *change_render(const struct changes *changes, const struct change *change)
{
    return change->after.record != NULL ? &changes->after : &changes->before;
}

int changes_render(const struct changes *changes, enum render_format format)
{
    static int (*const renderers[])(const struct changes *) = {
        [RENDER_TEXT] = changes_text,     [RENDER_JSON] = changes_json,
        [RENDER_HTML] = changes_html,     [RENDER_PPROF] = changes_pprof,
        [RENDER_FOLDED] = changes_folded, [RENDER_SARIF] = changes_sarif,
        [RENDER_SUPPRESSIONS] = changes_suppressions,
    };
    return renderers[format](changes);
}
