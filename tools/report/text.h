/*
 * tools/report/text: parts of a report for people, as other forms for people use them.
 */
#ifndef TOOLS_REPORT_TEXT_H
#define TOOLS_REPORT_TEXT_H

#include "tools/report/render.h"

/* The sequences of a terminal, or "". */
const char *text_bold(const struct render *render);
const char *text_class_color(const struct render *render, enum report_class class);
const char *text_plain(const struct render *render);

/* "4.1 MiB in 6,021 blocks" */
void text_amount(const struct render *render, const struct report_amount *amount);

/* The same of a site, with "~" if it is an estimate. */
void text_site_amount(const struct render *render, const struct site *site, const struct report_amount *amount);

/* The line with the id, the threads and the like. */
void text_identity(const struct render *render, const struct site *site);

/* The stack, a frame a line. */
void text_trace(const struct render *render, const struct report_record *record);

/* With the option lifetimes: the places that most was freed of, and all together. */
void text_lives(const struct render *render);
void text_lives_total(const struct render *render);

#endif
