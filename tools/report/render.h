/*
 * tools/report/render: a report in each of its outer forms.
 */
#ifndef TOOLS_REPORT_RENDER_H
#define TOOLS_REPORT_RENDER_H

#include "tools/report/format.h"
#include "tools/report/names.h"
#include "tools/report/report.h"
#include "tools/report/sites.h"
#include "tools/report/suppress.h"

#include <stdbool.h>
#include <stdio.h>

struct render {
    FILE *out;
    const struct report *report;
    struct names *names;
    const struct suppressions *suppressions; /* what the command applied, or NULL */
    unsigned classes;                        /* bit by enum report_class; 0: what the report is about */
    size_t top;                              /* sites in text */
    bool is_colored;
    bool is_full;   /* frames of libc and the allocator are shown as well */
    bool by_blocks; /* folded stacks count blocks, not bytes */
};

/* Returns 0, or -1 after one line of error. Errors of the stream are the caller's to find. */
int render_report(const struct render *render, enum render_format format);

int render_text(const struct render *render);
int render_json(const struct render *render);
int render_html(const struct render *render);
int render_pprof(const struct render *render);
int render_folded(const struct render *render);
int render_sarif(const struct render *render);
int render_suppressions(const struct render *render);

/* One stack as render_folded() writes it, without its number. */
void render_folded_stack(const struct render *render, const struct report_record *record);

/* "leak:NAME" for the frame that the leak is best known by, or NULL. To be freed. */
char *render_suppression_line(const struct render *render, const struct report_record *record);

/* Text for people: control characters, which might change their terminal, are replaced. */
void render_safe(FILE *out, const char *text);

/* A source file as it can be found from here: below the current folder without it, else the whole path if it is there,
 * else without the folder it was compiled in. */
const char *render_source_name(const struct symbol_frame *symbol);

#endif
