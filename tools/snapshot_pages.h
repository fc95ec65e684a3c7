/* tools/snapshot_pages: which pages of a live process hold something that a snapshot needs. */
#ifndef TOOLS_SNAPSHOT_PAGES_H
#define TOOLS_SNAPSHOT_PAGES_H

#include "os/pages.h"
#include "tools/snapshot.h"

enum { PAGES_NOTHING = 0 };

enum snapshot_area { AREA_OUTSIDE, AREA_TABLES, AREA_BLOCKS }; /* the latter two are the heap's */

/* Called with each run of pages; `map` is the mapping's index. What is PAGES_NOTHING holds nothing. */
typedef int snapshot_page_run(const struct os_page_run *run, size_t map, enum snapshot_area area, void *context);

/*
 * Goes through snapshot->maps. With `tells_written` it says which pages have been (tools/watch), and of the heap visits
 * those, and what holds nothing, alone. Returns 0, -errno, or what `visit` returns unless that is 0.
 */
int snapshot_pages_each(struct snapshot *snapshot, bool tells_written, snapshot_page_run *visit, void *context);

#endif
