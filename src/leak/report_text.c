/*
 * leak/report_text: a report for people, on standard error, when no command is there that knows names: frames are file
 * and offset, for addr2line(1) or `gcalloc report`.
 *
 * Uses base. Locks: none.
 */
#include "leak/report.h"

#include "base/image.h"
#include "base/options.h"
#include "heap/typed.h"
#include "leak/stacks.h"

#include <string.h>

enum { FRAMES_SHOWN = 12, SECOND_MS = 1000, MINUTE_MS = 60000, HOUR_MS = 3600000 };

static bool is_shown(const struct report_record *record)
{
    return (record->class == LEAK_DEFINITE || record->class == LEAK_POSSIBLE) && !record->is_inherited;
}

static void write_counts(struct sink *sink, const struct leak_counts *counts)
{
    sink_size(sink, counts->bytes);
    sink_text(sink, " in ");
    sink_count(sink, counts->blocks);
    sink_text(sink, counts->blocks == 1 ? " block" : " blocks");
}

/* What there is of a record: an estimate if only samples are recorded, and how far off it may well be. */
static void write_own(struct sink *sink, const struct report_record *record)
{
    struct leak_counts own = report_own(record);
    struct leak_counts indirect = report_indirect(record);
    bool is_estimate = record->weight_blocks > 0;
    sink_text(sink, is_estimate ? "~" : "");
    write_counts(sink, &own);
    if (is_estimate) {
        sink_text(sink, " (+-");
        sink_size(sink, report_error_bytes(record));
        sink_text(sink, ")");
    }
    if (indirect.blocks == 0)
        return;
    sink_text(sink, is_estimate ? " (+~" : " (+");
    sink_size(sink, indirect.bytes);
    sink_text(sink, " indirect in ");
    sink_count(sink, indirect.blocks);
    sink_text(sink, ")");
}

static void write_age(struct sink *sink, uint32_t age_ms)
{
    static const struct {
        uint32_t unit_ms;
        const char *name;
    } units[] = {{HOUR_MS, "h"}, {MINUTE_MS, "m"}, {SECOND_MS, "s"}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (age_ms >= units[i].unit_ms) {
            sink_number(sink, age_ms / units[i].unit_ms);
            sink_text(sink, units[i].name);
            return;
        }
    sink_number(sink, age_ms);
    sink_text(sink, "ms");
}

static void write_ages(struct sink *sink, const struct report *report, const struct report_record *record)
{
    if (record->stack == 0 && record->thread == 0)
        return;
    sink_text(sink, "  age ");
    write_age(sink, report_age_ms(report, record->newest_ms));
    if (record->own.blocks == 1)
        return;
    sink_text(sink, "..");
    write_age(sink, report_age_ms(report, record->oldest_ms));
}

static void write_frame(struct sink *sink, const struct leak_tables *tables, uint32_t place, uint64_t frame)
{
    uint64_t number = frame >> FRAME_MODULE_SHIFT;
    uint64_t address = frame & ((UINT64_C(1) << FRAME_MODULE_SHIFT) - 1);
    const struct module *module = number != 0 && number < MODULE_COUNT_MAX ? &tables->modules->modules[number] : NULL;
    sink_text(sink, "    #");
    sink_number(sink, place);
    sink_text(sink, " ");
    sink_text(sink, module != NULL ? module->path : "(no file)");
    sink_text(sink, "+0x");
    sink_hex(sink, module != NULL ? address - module->base : address, 1);
    if (module != NULL && atomic_load_explicit(&module->state, memory_order_relaxed) == MODULE_UNLOADED)
        sink_text(sink, " (unloaded)");
    sink_text(sink, "\n");
}

static void write_stack(struct sink *sink, const struct report_record *record)
{
    const struct leak_tables *tables = image_now->leak;
    static struct stack frames;
    const struct stack *stack = tables != NULL ? stacks_get(tables->stacks, record->stack, &frames) : NULL;
    for (uint32_t i = 0; stack != NULL && i < stack->frame_count && i < FRAMES_SHOWN; i++)
        write_frame(sink, tables, i + 1, stack->frames[i]);
    if (stack == NULL && tables != NULL && tables->sample_bytes != 0)
        sink_text(sink, "    (no sample was taken of these: the estimates of others stand for them)\n");
    else if (stack == NULL)
        sink_text(sink, "    (no call stack was recorded)\n");
}

static void write_thread(struct sink *sink, const struct report *report, const struct report_record *record)
{
    const struct leak_tables *tables = image_now->leak;
    if (tables == NULL || record->thread == 0)
        return;
    const struct thread_entry *thread = &tables->threads->threads[record->thread];
    char name[THREAD_NAME_BYTES];
    memcpy(name, thread->name, sizeof name);
    if (thread->ended_ms == 0 && report->about.thread_name != NULL)
        report->about.thread_name(thread->thread_id, name);
    name[THREAD_NAME_BYTES - 1] = '\0';
    sink_text(sink, "  thread ");
    sink_json(sink, name);
}

static void write_type(struct sink *sink, const struct report_record *record)
{
    const char *name = typed_name(image_now->types, record->type);
    if (*name == '\0')
        return;
    sink_text(sink, "  type ");
    sink_json(sink, name);
}

static void write_record(struct sink *sink, const struct report *report, const struct report_record *record,
                         uint32_t place, uint32_t count)
{
    sink_text(sink, "LEAK ");
    sink_number(sink, place);
    sink_text(sink, "/");
    sink_number(sink, count);
    sink_text(sink, " ");
    sink_text(sink, leak_class_names[record->class]);
    sink_text(sink, "  ");
    write_own(sink, record);
    write_ages(sink, report, record);
    sink_text(sink, "\n  id ");
    sink_hex(sink, record->id, 8);
    write_thread(sink, report, record);
    write_type(sink, record);
    if (options_now()->report_objects) {
        sink_text(sink, "  at 0x");
        sink_hex(sink, record->example, 1);
    }
    sink_text(sink, record->is_cycle ? "  cycle\n" : "\n");
    write_stack(sink, record);
}

static void write_rest(struct sink *sink, const struct report *report, uint32_t from, uint32_t count)
{
    struct leak_counts rest = {0, 0};
    uint32_t place = 0;
    for (uint32_t i = 0; i < report->record_count; i++) {
        const struct report_record *record = report_in_order(report, i);
        if (!is_shown(record) || ++place <= from)
            continue;
        struct leak_counts own = report_own(record);
        struct leak_counts indirect = report_indirect(record);
        rest.blocks += own.blocks + indirect.blocks;
        rest.bytes += own.bytes + indirect.bytes;
    }
    sink_text(sink, "and ");
    sink_count(sink, count - from);
    sink_text(sink, " more places: ");
    write_counts(sink, &rest);
    sink_text(sink, "\n");
}

static void write_summary(struct sink *sink, const struct report *report)
{
    sink_text(sink, "gcalloc: leaked ");
    write_counts(sink, &report->totals[LEAK_DEFINITE]);
    static const enum leak_class others[] = {LEAK_INDIRECT, LEAK_POSSIBLE, LEAK_KERNEL, LEAK_SUPPRESSED, LEAK_RECLAIMED};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const struct leak_counts *counts = &report->totals[others[i]];
        if (counts->blocks == 0)
            continue;
        sink_text(sink, "; ");
        sink_text(sink, leak_class_names[others[i]]);
        sink_text(sink, " ");
        write_counts(sink, counts);
    }
    sink_text(sink, "\n");
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* As the command has it (tools/report/text.c): what the program was started as, which may be a link, unless that is a sentence. */
static void write_title(struct sink *sink, const struct report_about *about)
{
    static const char *const moments[][2] = {
        {"exit", " at exit"}, {"_exit", " at _exit"}, {"quick_exit", " at quick_exit"},
        {"exec", " before exec"}, {"asked", " when asked"}, {"signal", " at a signal"},
    };
    const char *name = about->arguments_bytes != 0 ? base_name(about->arguments) : "";
    if (*name == '\0' || strchr(name, ' ') != NULL)
        name = base_name(about->path);
    sink_text(sink, "gcalloc: leaks of ");
    sink_text(sink, name);
    sink_text(sink, " (process ");
    sink_number(sink, (uint64_t)about->process_id);
    sink_text(sink, ")");
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++)
        if (strcmp(about->moment, moments[i][0]) == 0)
            sink_text(sink, moments[i][1]);
    if (about->now_ms > 0) {
        sink_text(sink, ", after ");
        write_age(sink, about->now_ms);
    }
    sink_text(sink, "\n");
}

void report_write_text(const struct report *report, struct sink *sink)
{
    uint32_t count = 0;
    uint32_t place = 0;
    for (uint32_t i = 0; i < report->record_count; i++)
        count += is_shown(report_in_order(report, i));
    write_title(sink, &report->about);
    uint64_t limit = options_now()->max_leaks != 0 ? options_now()->max_leaks : UINT64_MAX;
    for (uint32_t i = 0; i < report->record_count && place < limit; i++)
        if (is_shown(report_in_order(report, i)))
            write_record(sink, report, report_in_order(report, i), ++place, count);
    if (count > place)
        write_rest(sink, report, place, count);
    for (size_t i = 0; i < report->about.incomplete_count; i++) {
        sink_text(sink, "gcalloc: incomplete: ");
        sink_text(sink, report->about.incomplete[i]);
        sink_text(sink, "\n");
    }
    if (report->about.incomplete_count == 0 || report->record_count != 0)
        write_summary(sink, report);
}
