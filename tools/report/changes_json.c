/*
 * tools/report/changes_json: what changed, for programs: JSON, SARIF, the page in HTML.
 */
#include "tools/report/changes.h"
#include "tools/report/json.h"
#include "tools/report/memory.h"
#include "tools/report/page_data.h"
#include "tools/report/sarif.h"

#include <stdlib.h>

static json_t *about(const struct report *report)
{
    json_t *object = json_object();
    json_set_text(object, "file", report->file);
    json_set_text(object, "program", report->program);
    json_object_set_new(object, "pid", json_integer(report->process_id));
    json_object_set_new(object, "taken_ms", json_integer(report->taken_ms));
    return object;
}

static json_t *difference(int64_t blocks, int64_t bytes)
{
    return json_pack("{s:I, s:I}", "blocks", (json_int_t)blocks, "bytes", (json_int_t)bytes);
}

static json_t *total_changes(const struct changes *changes)
{
    json_t *totals = json_object();
    for (enum report_class class = 0; class < CLASS_COUNT; class++) {
        const struct report_amount *before = &changes->before.report->totals[class];
        const struct report_amount *after = &changes->after.report->totals[class];
        json_object_set_new(totals, class_name_list[class],
                            difference((int64_t)after->blocks - (int64_t)before->blocks,
                                       (int64_t)after->bytes - (int64_t)before->bytes));
    }
    return totals;
}

static json_t *stack_json(const struct render *render, int32_t stack)
{
    struct trace trace = names_trace(render->names, stack, !render->is_full);
    json_t *frames = json_array();
    for (size_t i = 0; i < trace.count; i++) {
        const struct trace_frame *frame = &trace.frames[i];
        json_t *object = frame->symbol != NULL ? json_frame(frame->symbol) : json_object();
        char *place = names_place(render->report, frame->address);
        json_set_text(object, "place", place);
        json_array_append_new(frames, object);
        free(place);
    }
    free(trace.frames);
    return frames;
}

static json_t *change_json(const struct changes *changes, const struct change *change)
{
    const struct report_record *record = change_site(change)->record;
    json_t *object = json_object();
    json_set_text(object, "id", record->id);
    json_set_text(object, "state", change_state_names[change->state]);
    json_set_text(object, "class", class_name_list[record->class]);
    json_set_text(object, "type", record->type);
    json_object_set_new(object, "before", json_amount(&change->before.total));
    json_object_set_new(object, "after", json_amount(&change->after.total));
    json_object_set_new(object, "change", difference(change->blocks, change->bytes));
    if (change_site(change)->is_estimate)
        json_object_set_new(object, "error_bytes", json_integer((json_int_t)sites_error_bytes(change_site(change))));
    if (changes->between_ms > 0)
        json_object_set_new(object, "bytes_per_s", json_integer(change->rate));
    json_object_set_new(object, "stack", stack_json(change_render(changes, change), record->stack));
    return object;
}

int changes_json(const struct changes *changes)
{
    json_t *root = json_object();
    json_t *sites = json_array();
    json_set_text(root, "format", "gcalloc-diff");
    json_object_set_new(root, "version", json_integer(1));
    json_object_set_new(root, "before", about(changes->before.report));
    json_object_set_new(root, "after", about(changes->after.report));
    if (changes->between_ms > 0)
        json_object_set_new(root, "between_ms", json_integer(changes->between_ms));
    json_object_set_new(root, "totals", total_changes(changes));
    for (size_t i = 0; i < changes->changed_count; i++)
        json_array_append_new(sites, change_json(changes, &changes->list[i]));
    json_object_set_new(root, "sites", sites);
    return json_write(root, changes->after.out);
}

/* SARIF has words for what became of a finding since a baseline. */
int changes_sarif(const struct changes *changes)
{
    static const char *const states[] = {"new", "updated", "updated", "absent", "unchanged"};
    json_t *results = json_array();
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->list[i];
        json_t *result = sarif_result(change_render(changes, change), change_site(change));
        json_set_text(result, "baselineState", states[change->state]);
        json_array_append_new(results, result);
    }
    return sarif_write(results, changes->after.out);
}

static json_t *pair(int64_t blocks, int64_t bytes)
{
    return json_pack("[I, I]", (json_int_t)blocks, (json_int_t)bytes);
}

static json_t *page_diff(const struct changes *changes)
{
    json_t *diff = json_object();
    json_t *totals = json_array();
    json_set_text(diff, "before", changes->before.report->file);
    json_set_text(diff, "after", changes->after.report->file);
    json_object_set_new(diff, "between_ms", json_integer(changes->between_ms));
    for (enum report_class class = 0; class < CLASS_COUNT; class++) {
        const struct report_amount *before = &changes->before.report->totals[class];
        const struct report_amount *after = &changes->after.report->totals[class];
        json_array_append_new(totals, pair((int64_t)after->blocks - (int64_t)before->blocks,
                                           (int64_t)after->bytes - (int64_t)before->bytes));
    }
    json_object_set_new(diff, "totals", totals);
    return diff;
}

/* A site that has gone is on the page with nothing in it. */
static struct site as_it_is_now(const struct change *change)
{
    struct site site = *change_site(change);
    if (change->state == CHANGE_GONE) {
        site.own = site.indirect = site.total = (struct report_amount){0, 0};
        site.age_min_ms = site.age_max_ms = -1;
    }
    return site;
}

int changes_html(const struct changes *changes)
{
    struct page_data *data = page_data_make(changes->after.report);
    json_object_set_new(page_data_root(data), "diff", page_diff(changes));
    for (size_t i = 0; i < changes->count && i < PAGE_SITES_MAX; i++) {
        const struct change *change = &changes->list[i];
        struct site site = as_it_is_now(change);
        json_t *object = page_data_site(data, change_render(changes, change), &site);
        json_set_text(object, "state", change_state_names[change->state]);
        json_object_set_new(object, "change", pair(change->blocks, change->bytes));
        json_object_set_new(object, "before", pair((int64_t)change->before.total.blocks,
                                                   (int64_t)change->before.total.bytes));
        json_object_set_new(object, "rate", json_integer(change->rate));
    }
    page_data_leave_out(data, changes->count);
    page_data_lives(data, &changes->after);
    int result = page_data_write(data, changes->after.out);
    page_data_free(data);
    return result;
}
