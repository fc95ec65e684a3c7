/*
 * tools/report/suppressions_out: suppressions for what a report shows.
 */
#include "tools/report/memory.h"
#include "tools/report/quantity.h"
#include "tools/report/render.h"

#include <stdlib.h>
#include <string.h>

/* "xmalloc", "Perl_safesysmalloc", "g_strdup_printf": functions that programs put before the allocator. */
static bool is_wrapper(const struct trace_frame *frame)
{
    static const char *const parts[] = {"malloc", "calloc", "realloc", "strdup", "strndup",
                                        "alloc_bytes", "memdup"};
    if (frame->symbol == NULL || frame->symbol->function == NULL)
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcasestr(frame->symbol->function, parts[i]) != NULL)
            return true;
    return false;
}

/* A suppression named after strdup() would hide everybody's leaks. */
static bool is_common(const struct report *report, const struct trace_frame *frame)
{
    static const char *const modules[] = {"libc.so", "libstdc++.so", "libc++.so", "libglib-2.0.so",
                                          "libgcalloc.so", "ld-linux"};
    if (frame->address->module < 0 || is_wrapper(frame))
        return true;
    const char *name = text_base_name(report->modules[frame->address->module].path);
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
        if (strncmp(name, modules[i], strlen(modules[i])) == 0)
            return true;
    return names_is_standard(frame);
}

static char *line_for(const struct report *report, const struct trace_frame *frame)
{
    if (frame->symbol != NULL && frame->symbol->function != NULL)
        return memory_format("leak:%s", frame->symbol->function);
    if (frame->address->module >= 0)
        return memory_format("leak:%s", text_base_name(report->modules[frame->address->module].path));
    return NULL;
}

char *render_suppression_line(const struct render *render, const struct report_record *record)
{
    struct trace trace = names_trace(render->names, record->stack, true);
    size_t at = 0;
    while (at < trace.count && is_common(render->report, &trace.frames[at]))
        at++;
    char *line = at < trace.count   ? line_for(render->report, &trace.frames[at])
                 : trace.count > 0 ? line_for(render->report, &trace.frames[0])
                                   : NULL;
    free(trace.frames);
    return line;
}

static bool has_line(char *const *lines, size_t count, const char *line)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(lines[i], line) == 0)
            return true;
    return false;
}

int render_suppressions(const struct render *render)
{
    struct sites sites = sites_make(render->report, render->classes);
    char **lines = memory_take(sites.count, sizeof *lines);
    size_t count = 0;
    for (size_t i = 0; i < sites.count; i++) {
        const struct site *site = &sites.list[i];
        char *line = render_suppression_line(render, site->record);
        if (line == NULL || has_line(lines, count, line)) {
            free(line);
            continue;
        }
        fprintf(render->out, "# %s, %s in %s %s, id ", class_name_list[site->record->class],
                quantity_bytes(site->total.bytes).text, quantity_count(site->total.blocks).text,
                quantity_blocks(site->total.blocks));
        render_safe(render->out, site->record->id);
        putc('\n', render->out);
        render_safe(render->out, line);
        putc('\n', render->out);
        lines[count++] = line;
    }
    for (size_t i = 0; i < count; i++)
        free(lines[i]);
    free(lines);
    sites_free(&sites);
    return 0;
}
