/*
 * gc/pacing: when the next cycle is due.
 */
#ifndef GC_PACING_H
#define GC_PACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when a heap that is about to take so many units more has grown enough since the last cycle. */
bool pacing_is_due(size_t unit_count);

/* A cycle has ended. */
void pacing_note_cycle(uint64_t live_bytes, uint64_t freed_bytes);

/* A cycle came to nothing: the next attempt waits until the heap has grown. */
void pacing_note_failure(void);

#endif
