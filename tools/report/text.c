/*
 * tools/report/text: a report for people.
 */
#include "tools/report/text.h"

#include "tools/report/memory.h"
#include "tools/report/quantity.h"
#include "tools/report/render.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LABEL_WIDTH_MAX = 40, BUILD_ID_SHOWN = 8, THREADS_SHOWN = 3 };

const char *text_bold(const struct render *render)
{
    return render->is_colored ? "\033[1m" : "";
}

const char *text_class_color(const struct render *render, enum report_class class)
{
    if (!render->is_colored)
        return "";
    if (class == CLASS_DEFINITE)
        return "\033[1;31m";
    return class == CLASS_POSSIBLE ? "\033[1;33m" : "\033[1m";
}

static const char *dim(const struct render *render)
{
    return render->is_colored ? "\033[2m" : "";
}

const char *text_plain(const struct render *render)
{
    return render->is_colored ? "\033[0m" : "";
}

/* How many bytes the character has, 0 if it is none that may be shown: controls, and bytes that are no UTF-8. */
static size_t shown_length(const unsigned char *text)
{
    if (text[0] < 0x80)
        return text[0] >= 0x20 && text[0] != 0x7f;
    size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc2 || text[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return text[0] == 0xc2 && text[1] < 0xa0 ? 0 : length;
}

void render_safe(FILE *out, const char *text)
{
    while (*text != '\0') {
        size_t length = shown_length((const unsigned char *)text);
        if (length > 0)
            fwrite(text, 1, length, out);
        else
            putc('?', out);
        text += length > 0 ? length : 1;
    }
}

const char *render_source_name(const struct symbol_frame *symbol)
{
    static char here[4096];
    if (here[0] == '\0' && getcwd(here, sizeof here) == NULL)
        here[0] = '?';
    size_t length = strlen(here);
    if (strncmp(symbol->file, here, length) == 0 && symbol->file[length] == '/')
        return symbol->file + length + 1;
    if (symbol->folder == NULL || symbol->file[0] != '/' || access(symbol->file, F_OK) == 0)
        return symbol->file;
    length = strlen(symbol->folder);
    bool is_below =
        strncmp(symbol->file, symbol->folder, length) == 0 && symbol->file[length] == '/';
    return is_below ? symbol->file + length + 1 : symbol->file;
}

/* " (unloaded 12:04, build-id 9f3c…)"; behind a source line with the file's name, which is not there yet. */
static void print_unloaded(const struct render *render, const struct report_address *address,
                           bool has_name)
{
    if (address->module < 0)
        return;
    const struct report_module *module = &render->report->modules[address->module];
    int64_t unloaded_ms = names_unloaded_ms(render->report, module);
    if (unloaded_ms < 0)
        return;
    time_t seconds = unloaded_ms / 1000;
    struct tm local;
    char text[16] = "?";
    if (localtime_r(&seconds, &local) != NULL)
        strftime(text, sizeof text, "%H:%M", &local);
    fputs(" (", render->out);
    if (!has_name)
        render_safe(render->out, text_base_name(module->path));
    fprintf(render->out, "%sunloaded %s", has_name ? "" : " ", text);
    if (*module->build_id != '\0') {
        fprintf(render->out, ", build-id %.*s", BUILD_ID_SHOWN, module->build_id);
        fputs(strlen(module->build_id) > BUILD_ID_SHOWN ? "…" : "", render->out);
    }
    putc(')', render->out);
}

static void print_place(const struct render *render, const struct trace_frame *frame)
{
    bool has_source = frame->symbol != NULL && frame->symbol->file != NULL;
    if (has_source) {
        render_safe(render->out, render_source_name(frame->symbol));
        if (frame->symbol->line > 0)
            fprintf(render->out, ":%u", frame->symbol->line);
    } else {
        char *place = names_place(render->report, frame->address);
        render_safe(render->out, place);
        free(place);
    }
    print_unloaded(render, frame->address, !has_source);
}

/* The first column: a function, or nothing where only the place is known. */
static char *first_column(const struct trace_frame *frame)
{
    const char *function = frame->symbol != NULL ? frame->symbol->function : NULL;
    if (function == NULL)
        return memory_copy("?");
    return memory_format("%s%s", function, frame->symbol->is_inlined ? " [inlined]" : "");
}

void text_trace(const struct render *render, const struct report_record *record)
{
    struct trace trace = names_trace(render->names, record->stack, !render->is_full);
    char **labels = memory_take(trace.count, sizeof *labels);
    int width = 0;
    for (size_t i = 0; i < trace.count; i++) {
        labels[i] = first_column(&trace.frames[i]);
        int length = (int)strlen(labels[i]);
        if (length > width && length <= LABEL_WIDTH_MAX)
            width = length;
    }
    for (size_t i = 0; i < trace.count; i++) {
        fprintf(render->out, "    #%-2zu ", i + 1);
        render_safe(render->out, labels[i]);
        fprintf(render->out, "%*s  %s", width - (int)strlen(labels[i]) > 0
                                            ? width - (int)strlen(labels[i]) : 0,
                "", dim(render));
        print_place(render, &trace.frames[i]);
        fprintf(render->out, "%s\n", text_plain(render));
        free(labels[i]);
    }
    if (trace.count == 0)
        fputs(render->report->sample_bytes > 0 ? "    no sample was taken of these\n" : "    no stack was recorded\n", render->out);
    free(labels);
    free(trace.frames);
}

static void print_ages(const struct render *render, const struct site *site)
{
    if (site->age_min_ms < 0 || site->age_max_ms < 0)
        return;
    struct quantity youngest = quantity_age((uint64_t)site->age_min_ms);
    struct quantity oldest = quantity_age((uint64_t)site->age_max_ms);
    fprintf(render->out, "  age %s", youngest.text);
    if (strcmp(youngest.text, oldest.text) != 0)
        fprintf(render->out, "..%s", oldest.text);
    uint64_t rate = sites_rate(site);
    if (rate > 0)
        fprintf(render->out, "  +%s/s", quantity_bytes(rate).text);
}

void text_amount(const struct render *render, const struct report_amount *amount)
{
    fprintf(render->out, "%s in %s %s", quantity_bytes(amount->bytes).text,
            quantity_count(amount->blocks).text, quantity_blocks(amount->blocks));
}

void text_site_amount(const struct render *render, const struct site *site, const struct report_amount *amount)
{
    const char *about = site->is_estimate ? "~" : "";
    fprintf(render->out, "%s%s in %s%s %s", about, quantity_bytes(amount->bytes).text, about,
            quantity_count(amount->blocks).text, quantity_blocks(amount->blocks));
}

static void print_threads(const struct render *render, const struct site *site)
{
    const char *word = site->thread_count == 1 ? "  thread " : "  threads ";
    for (size_t i = 0; i < site->thread_count && i < THREADS_SHOWN; i++) {
        const struct report_thread *thread = site->threads[i];
        fputs(i == 0 ? word : ", ", render->out);
        if (*thread->name != '\0') {
            putc('"', render->out);
            render_safe(render->out, thread->name);
            putc('"', render->out);
        } else {
            fprintf(render->out, "%" PRId64, thread->number);
        }
    }
    if (site->thread_count > THREADS_SHOWN)
        fprintf(render->out, " and %zu more", site->thread_count - THREADS_SHOWN);
}

void text_identity(const struct render *render, const struct site *site)
{
    const struct report_record *record = site->record;
    fputs("  id ", render->out);
    render_safe(render->out, *record->id != '\0' ? record->id : "?");
    print_threads(render, site);
    if (record->type != NULL) {
        fputs("  type ", render->out);
        render_safe(render->out, record->type);
    }
    if (record->is_inherited)
        fputs("  inherited: from before the fork", render->out);
    if (record->class == CLASS_SUPPRESSED && record->suppressed_by != NULL) {
        fputs("  by ", render->out);
        render_safe(render->out, record->suppressed_by);
    }
    putc('\n', render->out);
}


static void print_head(const struct render *render, const struct site *site, size_t number,
                       size_t count)
{
    const struct report_record *record = site->record;
    fprintf(render->out, "%s%s %zu/%zu %s%s  ", text_class_color(render, record->class),
            report_is_leak(record) ? "LEAK" : "SITE", number, count,
            class_name_list[record->class], text_plain(render));
    text_site_amount(render, site, &site->own);
    if (site->is_estimate)
        fprintf(render->out, " ±%s", quantity_bytes(sites_error_bytes(site)).text);
    if (site->indirect.blocks > 0)
        fprintf(render->out, " (+%s%s indirect in %s)", site->is_estimate ? "~" : "",
                quantity_bytes(site->indirect.bytes).text, quantity_count(site->indirect.blocks).text);
    print_ages(render, site);
    putc('\n', render->out);
    text_identity(render, site);
}

/* What blocks are known by in one word: their type, or who allocated them. To be freed. */
static char *short_name(const struct render *render, const char *type, int32_t stack)
{
    if (type != NULL)
        return memory_copy(strncmp(type, "struct ", 7) == 0 ? type + 7 : type);
    struct trace trace = names_trace(render->names, stack, true);
    size_t at = 0;
    while (at + 1 < trace.count && names_is_standard(&trace.frames[at]))
        at++;
    char *label = trace.count > 0 ? names_label(render->report, &trace.frames[at]) : memory_copy("?");
    free(trace.frames);
    return label;
}

/* Blocks of one type, or stacks that end in the same function, are one part. */
static void print_parts(const struct render *render, const struct report_record *record)
{
    char **names = memory_take(record->part_count, sizeof *names);
    uint64_t *blocks = memory_take(record->part_count, sizeof *blocks);
    size_t count = 0;
    for (size_t i = 0; i < record->part_count; i++) {
        size_t at = 0;
        names[count] = short_name(render, record->parts[i].type, record->parts[i].stack);
        while (strcmp(names[at], names[count]) != 0)
            at++;
        blocks[at] += record->parts[i].blocks;
        if (at == count)
            count++;
        else
            free(names[count]);
    }
    for (size_t i = 0; i < count; i++) {
        fprintf(render->out, "%s", i == 0 ? " -> " : ", ");
        if (blocks[i] > 1)
            fprintf(render->out, "%s ", quantity_count(blocks[i]).text);
        render_safe(render->out, names[i]);
        free(names[i]);
    }
    free(names);
    free(blocks);
}

static void print_shape(const struct render *render, const struct report_record *record)
{
    if (record->part_count == 0 && !record->is_cycle)
        return;
    char *name = short_name(render, record->type, record->stack);
    fprintf(render->out, "  shape: %s", record->is_cycle ? "cycle " : "");
    render_safe(render->out, name);
    print_parts(render, record);
    if (record->is_cycle) {
        fputs(" -> ", render->out);
        render_safe(render->out, name);
    }
    putc('\n', render->out);
    free(name);
}

/* The process is there, or its core file: `gcalloc why` can be asked. */
static bool can_be_asked(const struct report *report)
{
    static const char *const moments[] = {"asked", "signal", "live", "core"};
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++)
        if (strcmp(report->moment, moments[i]) == 0)
            return true;
    return false;
}

static void print_example(const struct render *render, const struct report_record *record)
{
    if (*record->example == '\0' || !can_be_asked(render->report))
        return;
    fputs("  example: ", render->out);
    render_safe(render->out, record->example);
    putc('\n', render->out);
}

static void print_site(const struct render *render, const struct site *site, size_t number,
                       size_t count)
{
    print_head(render, site, number, count);
    text_trace(render, site->record);
    print_shape(render, site->record);
    print_example(render, site->record);
    char *line = report_is_leak(site->record) ? render_suppression_line(render, site->record) : NULL;
    if (line != NULL) {
        fputs("  suppress: ", render->out);
        render_safe(render->out, line);
        putc('\n', render->out);
    }
    putc('\n', render->out);
    free(line);
}

static void print_title(const struct render *render)
{
    const struct report *report = render->report;
    static const struct {
        const char *moment, *words;
    } moments[] = {
        {"exit", "at exit"},          {"_exit", "at _exit"},
        {"quick_exit", "at quick_exit"}, {"exec", "before exec"},
        {"asked", "when asked"},      {"signal", "at a signal"},
        {"live", "while it runs"},    {"core", "in a core file"},
    };
    fprintf(render->out, "%sgcalloc: %s of ", text_bold(render), report->is_snapshot ? "heap" : "leaks");
    render_safe(render->out, report_program_name(report));
    if (report->process_id >= 0)
        fprintf(render->out, " (process %" PRId64 ")", report->process_id);
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++)
        if (strcmp(moments[i].moment, report->moment) == 0)
            fprintf(render->out, " %s", moments[i].words);
    if (report->running_ms > 0)
        fprintf(render->out, ", after %s", quantity_age((uint64_t)report->running_ms).text);
    fprintf(render->out, "%s\n\n", text_plain(render));
}

static void print_totals(const struct render *render)
{
    const char *separator = "total: ";
    for (enum report_class class = 0; class < CLASS_COUNT; class++) {
        const struct report_amount *total = &render->report->totals[class];
        if (total->blocks == 0 && class != CLASS_DEFINITE)
            continue;
        fprintf(render->out, "%s%s ", separator, class_name_list[class]);
        if (total->blocks == 0)
            fputs("none", render->out);
        else
            text_amount(render, total);
        separator = ", ";
    }
    putc('\n', render->out);
}

/* Those of which there is something, or was. */
static void print_types(const struct render *render)
{
    const struct report *report = render->report;
    size_t shown = 0;
    size_t left_out = 0;
    for (size_t i = 0; i < report->type_count; i++) {
        const struct report_type *type = &report->types[i];
        if (type->made == 0)
            continue;
        if (shown == render->top) {
            left_out++;
            continue;
        }
        fputs(shown++ == 0 ? "types:\n  " : "  ", render->out);
        render_safe(render->out, type->name);
        fputs(": ", render->out);
        text_amount(render, &type->now);
        fputs("; at most ", render->out);
        text_amount(render, &type->peak);
        fprintf(render->out, "; %s made\n", quantity_count(type->made).text);
    }
    if (left_out > 0)
        fprintf(render->out, "  ... and %s more types (--top shows more)\n", quantity_count(left_out).text);
}

static void print_used_suppressions(const struct render *render)
{
    const char *text;
    const char *source;
    struct report_amount amount;
    for (size_t i = 0; i < render->report->suppression_count; i++) {
        const struct report_suppression *one = &render->report->suppressions[i];
        if (one->matched.blocks == 0)
            continue;
        fputs("suppressed by ", render->out);
        render_safe(render->out, one->text);
        fputs(": ", render->out);
        text_amount(render, &one->matched);
        putc('\n', render->out);
    }
    for (size_t i = 0; suppressions_used(render->suppressions, i, &text, &source, &amount); i++) {
        if (amount.blocks == 0)
            continue;
        fputs("suppressed by ", render->out);
        render_safe(render->out, text);
        fputs(" (", render->out);
        render_safe(render->out, source);
        fputs("): ", render->out);
        text_amount(render, &amount);
        putc('\n', render->out);
    }
}

static void print_rest(const struct render *render, const struct sites *sites, size_t shown)
{
    struct report_amount rest = {0, 0};
    for (size_t i = shown; i < sites->count; i++) {
        rest.blocks += sites->list[i].total.blocks;
        rest.bytes += sites->list[i].total.bytes;
    }
    if (shown == sites->count)
        return;
    fprintf(render->out, "... and %s more: ", quantity_count(sites->count - shown).text);
    text_amount(render, &rest);
    fputs(" (--top shows more)\n\n", render->out);
}

int render_text(const struct render *render)
{
    struct sites sites = sites_make(render->report, render->classes);
    size_t shown = sites.count < render->top ? sites.count : render->top;
    print_title(render);
    for (size_t i = 0; i < shown; i++)
        print_site(render, &sites.list[i], i + 1, sites.count);
    print_rest(render, &sites, shown);
    text_lives(render);
    print_totals(render);
    text_lives_total(render);
    print_used_suppressions(render);
    print_types(render);
    if (render->report->sample_bytes > 0)
        fprintf(render->out, "~ is an estimate from samples, one in %s, ± its standard error; totals are exact\n",
                quantity_bytes((uint64_t)render->report->sample_bytes).text);
    for (size_t i = 0; i < render->report->incomplete_count; i++) {
        fputs("incomplete: ", render->out);
        render_safe(render->out, render->report->incomplete[i]);
        putc('\n', render->out);
    }
    sites_free(&sites);
    return 0;
}
