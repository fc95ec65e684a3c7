/*
 * tools/report/folded: one line a stack, outermost first, for flamegraph.pl and whatever else reads that:
 *     class;main;parse;parse_row 4096
 */
#include "tools/report/memory.h"
#include "tools/report/render.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A semicolon ends a frame. */
static void print_frame(FILE *out, char *label)
{
    for (char *at = strchr(label, ';'); at != NULL; at = strchr(at, ';'))
        *at = ':';
    render_safe(out, label);
}

void render_folded_stack(const struct render *render, const struct report_record *record)
{
    struct trace trace = names_trace(render->names, record->stack, !render->is_full);
    fputs(class_name_list[record->class], render->out);
    for (size_t i = trace.count; i-- > 0;) {
        char *label = names_label(render->report, &trace.frames[i]);
        putc(';', render->out);
        print_frame(render->out, label);
        free(label);
    }
    fputs(trace.count == 0 ? ";[no stack]" : "", render->out);
    free(trace.frames);
}

int render_folded(const struct render *render)
{
    struct sites sites = sites_make(render->report, render->classes);
    for (size_t i = 0; i < sites.count; i++) {
        const struct site *site = &sites.list[i];
        render_folded_stack(render, site->record);
        fprintf(render->out, " %" PRIu64 "\n",
                render->by_blocks ? site->total.blocks : site->total.bytes);
    }
    sites_free(&sites);
    return 0;
}
