/*
 * tools/snapshot_ahead: copies a process's memory while it runs, so that the stop has to copy only what changes meanwhile.
 *
 * Pages are protected, copied, and those that have been written since copied again, until few are left. When the process
 * stands still, a page that is still protected is here as it is there.
 */
#ifndef TOOLS_SNAPSHOT_AHEAD_H
#define TOOLS_SNAPSHOT_AHEAD_H

#include "os/pages.h"
#include "tools/snapshot.h"
#include "tools/watch.h"

struct ahead {
    struct snapshot *snapshot;
    bool is_on;         /* otherwise everything is to be copied during the stop */
    bool has_copied;    /* what no longer holds anything may have an old copy, even when it is off */
    int problem;        /* why it is not, -errno */
    uint64_t paused_ns; /* how long the process stood still for it */
    struct watch watch;
    size_t mirrored_bytes;  /* of pages, in what the snapshot's mirrors are made for */
    struct copy_list lost;  /* pages that could not be read when it was their turn */
};

/*
 * Begins to follow what the process writes, if that can be done; `map_bytes` says how much each of snapshot->maps holds.
 * The process is stopped for a moment. Returns 0, or -errno when it has ended.
 */
int ahead_begin(struct ahead *ahead, struct snapshot *snapshot, const size_t *map_bytes);

/* Copies until little changes. Returns 0 or -errno. Afterwards it may be off. */
int ahead_copy(struct ahead *ahead);

/* Where the copy of a page lies, and in *end_out how far that or its absence reaches, up to `end`; NULL: it has none. */
unsigned char *ahead_find(const struct ahead *ahead, uintptr_t start, uintptr_t end, uintptr_t *end_out);

/* The copy that was made of the run is as old as the process: it has not been written since. */
bool ahead_is_current(const struct ahead *ahead, const struct os_page_run *run);

/* Why everything had to be copied during the stop, as the end of a line; NULL: it had not. */
const char *ahead_problem(const struct ahead *ahead);

/* Leaves the process as it was. */
void ahead_end(struct ahead *ahead);

#endif
