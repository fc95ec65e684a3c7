/*
 * tools/report/json: pieces that all JSON written here is made of.
 */
#ifndef TOOLS_REPORT_JSON_H
#define TOOLS_REPORT_JSON_H

#include "tools/report/names.h"
#include "tools/report/report.h"

#include <jansson.h>
#include <stdio.h>

/* Nothing if the text is NULL; "?" if it is no UTF-8, which names in files may be. */
void json_set_text(json_t *object, const char *key, const char *text);

json_t *json_amount(const struct report_amount *amount);

/* A function with its place in the source. */
json_t *json_frame(const struct symbol_frame *frame);

/* Takes the value over. Returns 0, or -1: the stream says why. */
int json_write(json_t *root, FILE *out);

#endif
