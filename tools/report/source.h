/*
 * tools/report/source: the text of a report, with its long lists left where they are.
 *
 * As one JSON document a report of a hundred thousand places takes ten times its own length. So only where the items of
 * its long lists begin is kept, and each becomes JSON when it is read.
 */
#ifndef TOOLS_REPORT_SOURCE_H
#define TOOLS_REPORT_SOURCE_H

#include <jansson.h>
#include <stddef.h>

enum source_list { LIST_RECORDS, LIST_STACKS, LIST_SYMBOLS, LIST_HISTORY, LIST_COUNT };

/* Their keys. */
extern const char *const source_list_keys[LIST_COUNT];

struct source_item {
    const char *text;
    size_t length;
};

struct source {
    json_t *rest; /* the document, but with its long lists empty */
    struct source_item *items[LIST_COUNT];
    size_t counts[LIST_COUNT];
    struct kept_text *kept;
};

/* The text must outlive it. NULL when it is no JSON; the error says where. */
struct source *source_open(const char *text, size_t length, json_error_t *error_out);
void source_close(struct source *source);

/* One item, for json_decref(); NULL when it is no JSON. */
json_t *source_item(const struct source *source, enum source_list list, size_t index);

/* A copy that lives as long as the source. */
const char *source_keep(struct source *source, const char *text);

#endif
