#include "tools/report/suppress.h"

#include "tools/report/memory.h"
#include "tools/report/pattern.h"
#include "tools/report/suppress_rule.h"
#include "tools/say.h"

#include <stdlib.h>
#include <string.h>

struct suppressions {
    struct rule_list list;
    bool has_only;
};

struct suppressions *suppressions_make(void)
{
    return memory_take(1, sizeof(struct suppressions));
}

void suppressions_free(struct suppressions *suppressions)
{
    if (suppressions == NULL)
        return;
    rule_list_free(&suppressions->list);
    free(suppressions);
}

bool suppressions_add_file(struct suppressions *suppressions, const char *path)
{
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        say_error("%s: %m", path);
        return false;
    }
    bool is_right = rule_list_read(&suppressions->list, path, stream);
    fclose(stream);
    for (size_t i = 0; i < suppressions->list.count; i++)
        if (suppressions->list.rules[i].kind == RULE_ONLY)
            suppressions->has_only = true;
    return is_right;
}

bool suppressions_add_shared_file(struct suppressions *suppressions, const char *path)
{
    size_t first = suppressions->list.count;
    bool is_right = suppressions_add_file(suppressions, path);
    for (size_t i = first; i < suppressions->list.count; i++)
        suppressions->list.rules[i].is_shared = true;
    return is_right;
}

static const char *module_path(const struct report *report, const struct trace_frame *frame)
{
    return frame->address->module >= 0 ? report->modules[frame->address->module].path : NULL;
}

static bool text_matches(const char *pattern, const char *text, bool has_single)
{
    return text != NULL && pattern_matches(pattern, text, has_single);
}

static bool function_matches(const char *pattern, const struct trace_frame *frame, bool has_single)
{
    const struct symbol_frame *symbol = frame->symbol;
    return symbol != NULL && (text_matches(pattern, symbol->function, has_single) ||
                              text_matches(pattern, symbol->signature, has_single) ||
                              text_matches(pattern, symbol->linkage, has_single));
}

/* leak: and only: look at every frame for any of its three names. */
static bool line_matches(const struct rule *rule, const struct report *report,
                         const struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_frame *frame = &trace->frames[i];
        if (function_matches(rule->pattern, frame, false) ||
            text_matches(rule->pattern, module_path(report, frame), false) ||
            (frame->symbol != NULL && text_matches(rule->pattern, frame->symbol->file, false)))
            return true;
    }
    return false;
}

/* src:NAME or src:NAME:LINE; the name with or without folders. */
static bool source_matches(const char *pattern, const struct trace_frame *frame)
{
    if (frame->symbol == NULL || frame->symbol->file == NULL)
        return false;
    const char *file = frame->symbol->file;
    char *with_line = memory_format("%s:%u", file, frame->symbol->line);
    bool matches = pattern_matches(pattern, file, true) ||
                   pattern_matches(pattern, text_base_name(file), true) ||
                   pattern_matches(pattern, with_line, true) ||
                   pattern_matches(pattern, text_base_name(with_line), true);
    free(with_line);
    return matches;
}

static bool part_matches(const struct rule_part *part, const struct report *report,
                         const struct trace_frame *frame)
{
    if (part->kind == PART_FUNCTION)
        return function_matches(part->pattern, frame, true);
    if (part->kind == PART_SOURCE)
        return source_matches(part->pattern, frame);
    return text_matches(part->pattern, module_path(report, frame), true);
}

/* As pattern_matches(), with frames for characters and "..." for the star; the end of the stack is left open. */
static bool parts_match(const struct rule *rule, size_t part, const struct report *report,
                        const struct trace *trace)
{
    const size_t none = (size_t)-1;
    size_t after_any = none;
    size_t taken = 0;
    size_t frame = 0;
    while (part < rule->part_count) {
        if (rule->parts[part].kind == PART_ANY) {
            after_any = ++part;
            taken = frame;
        } else if (frame < trace->count &&
                   part_matches(&rule->parts[part], report, &trace->frames[frame])) {
            part++;
            frame++;
        } else if (after_any != none && taken < trace->count) {
            part = after_any;
            frame = ++taken;
        } else {
            return false;
        }
    }
    return true;
}

/* Valgrind's stacks begin with the allocator's function, ours with its caller. */
static bool names_allocator(const struct rule_part *part)
{
    static const char *const names[] = {
        "malloc", "calloc", "realloc", "memalign", "posix_memalign", "aligned_alloc", "valloc",
        "reallocarray", "_Znwm", "_Znam", "_ZnwmSt11align_val_t", "_ZnamSt11align_val_t",
        "_ZnwmRKSt9nothrow_t", "_ZnamRKSt9nothrow_t", "operator new(unsigned long)",
        "operator new[](unsigned long)",
    };
    if (part->kind != PART_FUNCTION)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (pattern_matches(part->pattern, names[i], true))
            return true;
    return false;
}

static bool block_matches(const struct rule *rule, const struct report *report,
                          const struct report_record *record, const struct trace *trace)
{
    if ((rule->classes & 1u << record->class) == 0)
        return false;
    return parts_match(rule, 0, report, trace) ||
           (names_allocator(&rule->parts[0]) && parts_match(rule, 1, report, trace));
}

static bool rule_matches(const struct rule *rule, const struct report *report,
                         const struct report_record *record, const struct trace *trace)
{
    if (rule->kind == RULE_VALGRIND)
        return block_matches(rule, report, record, trace);
    return line_matches(rule, report, trace);
}

/* What may be suppressed at all: the rest is no finding. */
static bool is_finding(const struct report *report, const struct report_record *record)
{
    return report_is_leak(record) || record->class == CLASS_INDIRECT ||
           (report->is_snapshot && record->class != CLASS_SUPPRESSED);
}

static struct rule *rule_for(struct suppressions *suppressions, const struct report *report,
                             const struct report_record *record, const struct trace *trace,
                             bool *is_wanted_out)
{
    *is_wanted_out = !suppressions->has_only;
    struct rule *found = NULL;
    for (size_t i = 0; i < suppressions->list.count; i++) {
        struct rule *rule = &suppressions->list.rules[i];
        if (rule->kind != RULE_ONLY ? found != NULL : *is_wanted_out)
            continue;
        if (!rule_matches(rule, report, record, trace))
            continue;
        /* The same leak, but more of it, is news. */
        if (record->own.blocks > rule->blocks_max) {
            rule->is_exceeded = true;
            continue;
        }
        struct report_amount total = report_record_total(record);
        rule->matched.blocks += total.blocks;
        rule->matched.bytes += total.bytes;
        if (rule->kind == RULE_ONLY)
            *is_wanted_out = true;
        else
            found = rule;
    }
    return found;
}

static void take(struct report_amount *from, const struct report_amount *amount)
{
    from->blocks -= from->blocks < amount->blocks ? from->blocks : amount->blocks;
    from->bytes -= from->bytes < amount->bytes ? from->bytes : amount->bytes;
}

static void suppress(struct report *report, struct report_record *record, const char *by)
{
    struct report_amount total = report_record_total(record);
    take(&report->totals[record->class], &record->own);
    take(&report->totals[CLASS_INDIRECT], &record->indirect);
    report->totals[CLASS_SUPPRESSED].blocks += total.blocks;
    report->totals[CLASS_SUPPRESSED].bytes += total.bytes;
    record->class = CLASS_SUPPRESSED;
    record->suppressed_by = by;
}

void suppressions_apply(struct suppressions *suppressions, struct report *report,
                        struct names *names)
{
    for (size_t i = 0; suppressions->list.count > 0 && i < report->record_count; i++) {
        struct report_record *record = &report->records[i];
        bool is_wanted;
        if (!is_finding(report, record))
            continue;
        struct trace trace = names_trace(names, record->stack, true);
        const struct rule *rule = rule_for(suppressions, report, record, &trace, &is_wanted);
        if (rule != NULL || !is_wanted)
            suppress(report, record, rule != NULL ? rule->text : "only:");
        free(trace.frames);
    }
}

bool suppressions_used(const struct suppressions *suppressions, size_t index, const char **text_out,
                       const char **source_out, struct report_amount *amount_out)
{
    if (suppressions == NULL || index >= suppressions->list.count)
        return false;
    const struct rule *rule = &suppressions->list.rules[index];
    *text_out = rule->text;
    *source_out = rule->source;
    *amount_out = rule->matched;
    return true;
}

void suppressions_say_unused(const struct suppressions *suppressions)
{
    for (size_t i = 0; i < suppressions->list.count; i++) {
        const struct rule *rule = &suppressions->list.rules[i];
        if (rule->is_exceeded)
            say_warning("%s: \"%s\" was exceeded: what is more than its max= is reported",
                        rule->source, rule->text);
        else if (rule->matched.blocks == 0 && !rule->is_shared)
            say_warning("%s: nothing matches \"%s\"", rule->source, rule->text);
    }
}
