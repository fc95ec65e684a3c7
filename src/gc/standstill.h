/*
 * gc/standstill: what a sweep of the quarantine does while threads stand still.
 */
#ifndef GC_STANDSTILL_H
#define GC_STANDSTILL_H

#include "gc/pointed.h"

#include <stdint.h>

enum standstill {
    STANDSTILL_SEARCH, /* all of it: turns, and reads everything there is */
    STANDSTILL_TURN,   /* the first stop of a sweep beside the program */
    STANDSTILL_CLEAN,  /* one of many in the middle: reads some of what was written meanwhile */
    STANDSTILL_FINISH, /* the last one: reads the rest of that, and the roots */
};

/*
 * Stops all others, does that, and lets them go on. Returns 0 (STANDSTILL_CLEAN: how far it came, enum trawl_progress), or -errno and nothing
 * may be released. The lock of the sweep is held.
 */
int standstill_for(enum standstill work, struct pointed *pointed, uint64_t *pause_ns_out);

#endif
