/*
 * gcalloc/quarantine.h: the quarantine of a program that runs on gcalloc with the option quarantine.
 *
 * What the program frees is held: wiped, and not used again while anything still points to it. What counts as pointing to a
 * block, and what this protects from, is told in gcalloc(7).
 *
 * Every function here may be called from any thread at any time after the program's first malloc, except from signal
 * handlers. Without the option quarantine they do no harm.
 */
#ifndef GCALLOC_QUARANTINE_H
#define GCALLOC_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Searches all memory now and releases every block that was held before and that nothing points to. Returns 0, or -errno with
 * nothing released: -EOPNOTSUPP without the option quarantine, -EAGAIN when some thread could not be stopped, -ENOMEM, or
 * what the kernel said when some memory could not be looked at.
 */
int gca_quarantine_sweep(void);

/* True when the address lies in a block that was freed and is held. Async-signal-safe. */
bool gca_is_held(const void *address);

/* Times are nanoseconds. Fields may be added at the end. */
typedef struct gca_quarantine_stats {
    uint64_t sweeps;    /* that released what nothing pointed to */
    uint64_t abandoned; /* begun in vain */
    uint64_t released_blocks;
    uint64_t released_bytes;
    uint64_t changed_blocks; /* found written after they were freed */
    uint64_t held_blocks;    /* after the last sweep: still pointed to, or freed meanwhile */
    uint64_t held_bytes;
    uint64_t scanned_bytes;  /* by all sweeps */
    uint64_t pause_ns_total; /* all threads stood still */
    uint64_t pause_ns_max;
    uint64_t sweep_ns_total; /* the work of sweeps, pauses included */
} gca_quarantine_stats;

/* What the quarantine did so far; all zero without the option. Returns 0, or -EINVAL when stats_out is NULL. */
int gca_quarantine_get_stats(gca_quarantine_stats *stats_out);

#ifdef __cplusplus
}
#endif

#endif
