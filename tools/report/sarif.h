/*
 * tools/report/sarif: parts of a log in SARIF.
 */
#ifndef TOOLS_REPORT_SARIF_H
#define TOOLS_REPORT_SARIF_H

#include "tools/report/render.h"

#include <jansson.h>

json_t *sarif_result(const struct render *render, const struct site *site);

/* The whole log; takes the results over. Returns 0, or -1 after an error message or where the stream says why. */
int sarif_write(json_t *results, FILE *out);

#endif
