/*
 * gc/concurrent: marking while the program runs.
 *
 * Runs on the helper. Two stops: one to look at the roots, one to see what has changed since. In between blocks are marked
 * from what they held when they were looked at, and whatever is written meanwhile is on a page that counts as dirty
 * (Boehm, Demers, Shenker: "Mostly parallel garbage collection", 1991).
 */
#ifndef GC_CONCURRENT_H
#define GC_CONCURRENT_H

#include "gc/mark.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What there is of stops at the end, see gc/preclean. */
struct concurrent_stops {
    uint32_t count;
    uint32_t run_part;     /* in between the program runs for this part of one */
    uint64_t pages_before; /* that the last pass through all of them found */
};

struct concurrent {
    struct marker *marker;
    struct work *items;
    size_t item_count;
    uint32_t birth;      /* of what is allocated from now on; blocks of this number of long ago have another by now */
    bool is_young;       /* only blocks allocated since the last cycle are candidates; becomes false where that can't be */
    bool (*yield)(void); /* gives way to whoever waits for the cycle's lock; false when this cycle is to be given up */
    bool (*is_wanted)(void); /* whether yield() has anything to do */
    unsigned threads;    /* that may mark while the program runs */
    void (*marked)(void); /* all that can be reached is marked, and threads are still stopped */
    uint32_t white_serial;
    uint32_t rounds;     /* of going through what was written */
    uint64_t last_pages; /* that were left for the last stop */
    struct concurrent_stops stops;
};

/* Returns 0 and everything is marked; -ENOTSUP when writes can't be tracked; or -errno. */
int concurrent_mark(struct concurrent *cycle);

/* A cycle in one stop has given blocks another birth: what was written before is forgotten. */
void concurrent_renew(void);

/* For gc/preclean: lets others in; marks what is on the list, likewise; whether what the roots are allows this kind of cycle. */
int concurrent_give_way(struct concurrent *cycle);
int concurrent_drain(struct concurrent *cycle);
int concurrent_check_roots(void);

#endif
