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

int render_folded(const struct render *render)
{
    struct sites sites = sites_make(render->report, render->classes);
    for (size_t i = 0; i < sites.count; i++) {
        const struct site *site = &sites.list[i];
        struct trace trace = names_trace(render->names, site->record->stack, !render->is_full);
        fputs(class_name_list[site->record->class], render->out);
        for (size_t j = trace.count; j-- > 0;) {
            char *label = names_label(render->report, &trace.frames[j]);
            putc(';', render->out);
            print_frame(render->out, label);
            free(label);
        }
        fprintf(render->out, "%s %" PRIu64 "\n", trace.count == 0 ? ";[no stack]" : "",
                render->by_blocks ? site->total.blocks : site->total.bytes);
        free(trace.frames);
    }
    sites_free(&sites);
    return 0;
}
