/* tools/snapshot_copy: what of a live process's memory a snapshot needs, and where the copies lie. */
#ifndef TOOLS_SNAPSHOT_COPY_H
#define TOOLS_SNAPSHOT_COPY_H

#include "tools/snapshot.h"
#include "tools/snapshot_ahead.h"

/* What the copies of one stop leave to be done after it. */
struct copying {
    struct snapshot *snapshot;
    const struct ahead *ahead;
    struct copy_list list; /* for now */
    struct copy_list rest; /* for later */
    struct target_range *gaps; /* of the heap: what holds nothing */
    size_t gap_count;
    size_t used_bytes; /* of the snapshot's room */
};

/*
 * While the process runs: finds out how much there is, gets memory for that, and copies what can be copied ahead. Returns 0
 * or -errno; `ahead` is to be ended in any case.
 */
int snapshot_prepare(struct snapshot *snapshot, struct ahead *ahead);

/* While it stands still, with snapshot->maps: copies everything else but what is left for later. Returns 0 or -errno. */
int snapshot_copy(struct snapshot *snapshot, const struct ahead *ahead, struct copying *copying_out);

/* When it runs again, in any case. */
int snapshot_copy_rest(struct copying *copying);

#endif
