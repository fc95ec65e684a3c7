/* tools/snapshot_pages: which pages of a live process hold something that a snapshot needs. */
#ifndef TOOLS_SNAPSHOT_PAGES_H
#define TOOLS_SNAPSHOT_PAGES_H

#include "tools/snapshot.h"

/* Called with each run of pages; `map` is the mapping's index, `in_heap` says that it is of the heap's blocks. */
typedef int snapshot_page_run(uintptr_t start, uintptr_t end, size_t map, bool in_heap, void *context);

/* Goes through snapshot->maps. Returns 0, -errno, or what `visit` returns unless that is 0. */
int snapshot_pages_each(struct snapshot *snapshot, snapshot_page_run *visit, void *context);

#endif
