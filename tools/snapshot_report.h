/* tools/snapshot_report: the report of a snapshot, as the library itself would write it. */
#ifndef TOOLS_SNAPSHOT_REPORT_H
#define TOOLS_SNAPSHOT_REPORT_H

#include "tools/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Classifies every block and writes the report, JSON, to memory that free() takes back. `kind` is "leaks" or "snapshot";
 * with `all_blocks`, as in every snapshot, blocks that are held have records, too. Between examine_begin() and
 * examine_end(). Returns 0 or -ENOMEM.
 */
int snapshot_report(struct snapshot *snapshot, const char *kind, bool all_blocks, char **text_out, size_t *length_out);

#endif
