/*
 * gc/settings: how the collector weighs memory against time and pauses: presets, each of whose values can be set alone.
 *
 * Read by whoever paces or collects, at any moment; changed by the program while it runs.
 */
#ifndef GC_SETTINGS_H
#define GC_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of the option gc_mode's choices. */
enum gc_mode {
    GC_MODE_BALANCED,
    GC_MODE_THROUGHPUT,
    GC_MODE_LATENCY,
    GC_MODE_MEMORY,
    GC_MODE_TRAINING,
    GC_MODE_INFERENCE,
    GC_MODE_COUNT
};

/* Who says what the program writes; 0 is the option's choice. */
enum gc_tracking { GC_TRACKING_KERNEL = 1, GC_TRACKING_PROGRAM, GC_TRACKING_LAST = GC_TRACKING_PROGRAM };

/* 0 in a value that is given means the mode's. */
struct gc_settings {
    uint64_t mode;
    uint64_t growth_percent;     /* of what lived: what the heap may grow by before the next cycle */
    uint64_t growth_min_bytes;   /* but at least */
    uint64_t young_bytes;        /* allocated between collections of young blocks, or a sixteenth of the heap if that is more */
    uint64_t threads;            /* that mark at once, at most */
    uint64_t pause_us;           /* that threads should stand still at most */
    uint64_t throughput_percent; /* of its time the program should have: where that fails, the heap may grow further */
    uint64_t tracking;           /* an enum gc_tracking */
    uint64_t heap_limit_bytes;   /* what blocks may take; 0: no limit */
};

/* The values that hold now, none of them 0 but the limit. */
const struct gc_settings *gc_settings_now(void);

/* The longest stop for a cycle that could as well run beside the program: that costs a small heap's program a third of its time. */
uint64_t gc_settings_stop_ns(void);

/* From the options. */
void gc_settings_start(void);

/* Takes these from now on. Returns 0 or -EINVAL. The caller makes sure that there is one at a time. */
int gc_settings_set(const struct gc_settings *wanted);

#endif
