/*
 * tools/report/pprof: a report as a profile of pprof's: what is leaked and what is in use, in blocks and bytes; and what
 * was ever allocated, if the program has counted that.
 */
#include "tools/report/changes.h"
#include "tools/report/memory.h"
#include "tools/report/profile.h"
#include "tools/report/render.h"

#include <stdlib.h>

static const char *const types[PROFILE_VALUES_MAX][2] = {
    {"leak_objects", "count"},
    {"leak_space", "bytes"},
    {"inuse_objects", "count"},
    {"inuse_space", "bytes"},
    {"alloc_objects", "count"},
    {"alloc_space", "bytes"},
};

enum { LEAK_SPACE = 1, INUSE_SPACE = 3, VALUES_WITHOUT_LIVES = 4 };

static bool is_lost(const struct report_record *record)
{
    return report_is_leak(record) || record->class == CLASS_INDIRECT;
}

static size_t labels_of(const struct report_record *record, struct profile_label *labels)
{
    size_t count = 0;
    labels[count++] =
        (struct profile_label){.key = "class", .text = class_name_list[record->class]};
    if (*record->id != '\0')
        labels[count++] = (struct profile_label){.key = "id", .text = record->id};
    if (record->type != NULL)
        labels[count++] = (struct profile_label){.key = "type", .text = record->type};
    if (record->thread != NULL && *record->thread->name != '\0')
        labels[count++] = (struct profile_label){.key = "thread", .text = record->thread->name};
    else if (record->thread != NULL)
        labels[count++] =
            (struct profile_label){.key = "thread_number", .number = record->thread->number};
    if (record->own.blocks > 0)
        labels[count++] =
            (struct profile_label){.key = "bytes",
                                   .unit = "bytes",
                                   .number = (int64_t)(record->own.bytes / record->own.blocks)};
    if (record->age_max_ms >= 0)
        labels[count++] = (struct profile_label){
            .key = "age", .unit = "milliseconds", .number = record->age_max_ms};
    return count;
}

static void add_record(const struct render *render, struct profile *profile,
                       const struct report_record *record)
{
    struct profile_label labels[PROFILE_LABELS_MAX];
    struct report_amount amount = record->own;
    if (amount.blocks == 0)
        return;
    bool is_in_use = record->class != CLASS_RECLAIMED;
    const int64_t values[PROFILE_VALUES_MAX] = {
        is_lost(record) ? (int64_t)amount.blocks : 0,
        is_lost(record) ? (int64_t)amount.bytes : 0,
        is_in_use ? (int64_t)amount.blocks : 0,
        is_in_use ? (int64_t)amount.bytes : 0,
    };
    struct trace trace = names_trace(render->names, record->stack, !render->is_full);
    profile_add_sample(profile, render->report, render->names, &trace, values, labels,
                       labels_of(record, labels));
    free(trace.frames);
}

/* A sample of its own, without classes and threads: of what was freed nobody knows these. */
static void add_life(const struct render *render, struct profile *profile, const struct report_life *life)
{
    struct trace trace = names_trace(render->names, life->stack, !render->is_full);
    const int64_t values[PROFILE_VALUES_MAX] = {0, 0, 0, 0, (int64_t)life->allocated.blocks, (int64_t)life->allocated.bytes};
    profile_add_sample(profile, render->report, render->names, &trace, values, NULL, 0);
    free(trace.frames);
}

int render_pprof(const struct render *render)
{
    const struct report *report = render->report;
    struct profile *profile = profile_make(types, report->life_count > 0 ? PROFILE_VALUES_MAX : VALUES_WITHOUT_LIVES,
                                           report->is_snapshot ? INUSE_SPACE : LEAK_SPACE);
    profile_set_time(profile, report->taken_ms, report->running_ms);
    profile_set_period(profile, report->sample_bytes);
    profile_set_program(profile, report);
    profile_add_comment(profile, report->program);
    for (size_t i = 0; i < report->incomplete_count; i++)
        profile_add_comment(profile, report->incomplete[i]);
    for (size_t i = 0; i < report->record_count; i++)
        if (render->classes == 0 || render->classes & 1u << report->records[i].class)
            add_record(render, profile, &report->records[i]);
    for (size_t i = 0; i < report->life_count; i++)
        add_life(render, profile, &report->lives[i]);
    int result = profile_write(profile, render->out);
    profile_free(profile);
    return result;
}

/* Of the later report minus the earlier one, as `pprof -diff_base` would have it. */
static void add_change(const struct changes *changes, struct profile *profile,
                       const struct change *change)
{
    struct profile_label labels[PROFILE_LABELS_MAX];
    const struct site *site = change_site(change);
    const struct render *render = change_render(changes, change);
    bool is_leak = is_lost(site->record);
    bool is_in_use = site->record->class != CLASS_RECLAIMED;
    const int64_t values[PROFILE_VALUES_MAX] = {
        is_leak ? change->blocks : 0,
        is_leak ? change->bytes : 0,
        is_in_use ? change->blocks : 0,
        is_in_use ? change->bytes : 0,
    };
    struct trace trace = names_trace(render->names, site->record->stack, !render->is_full);
    profile_add_sample(profile, render->report, render->names, &trace, values, labels,
                       labels_of(site->record, labels));
    free(trace.frames);
}

int changes_pprof(const struct changes *changes)
{
    const struct report *report = changes->after.report;
    struct profile *profile = profile_make(types, VALUES_WITHOUT_LIVES, report->is_snapshot ? INUSE_SPACE : LEAK_SPACE);
    profile_set_time(profile, report->taken_ms, changes->between_ms);
    profile_set_period(profile, report->sample_bytes);
    profile_set_program(profile, report);
    profile_add_comment(profile, "a difference of two reports");
    for (size_t i = 0; i < changes->changed_count; i++)
        add_change(changes, profile, &changes->list[i]);
    int result = profile_write(profile, changes->after.out);
    profile_free(profile);
    return result;
}
