/* tools/snapshot_pages: which pages of a live process hold something that a snapshot needs. */
#ifndef TOOLS_SNAPSHOT_PAGES_H
#define TOOLS_SNAPSHOT_PAGES_H

#include "os/pages.h"
#include "tools/snapshot.h"

enum { PAGES_NOTHING = 0 };

enum snapshot_area { AREA_OUTSIDE, AREA_TABLES, AREA_BLOCKS }; /* the latter two are the heap's */

/* Called with each run of pages; `map` is the mapping's index. What is PAGES_NOTHING holds nothing. */
typedef int snapshot_page_run(const struct os_page_run *run, size_t map, enum snapshot_area area, void *context);

enum snapshot_look {
    LOOK_FOR_ALL,
    LOOK_FOR_GAPS,   /* for what of the heap holds nothing, too */
    LOOK_FOR_WRITTEN /* the same, but of pages that hold something in the heap for those alone that have been written */
};

/*
 * Goes through snapshot->maps. LOOK_FOR_WRITTEN also says everywhere which pages have been (tools/watch). Returns 0,
 * -errno, or what `visit` returns unless that is 0.
 */
int snapshot_pages_each(struct snapshot *snapshot, enum snapshot_look look, snapshot_page_run *visit, void *context);

#endif
