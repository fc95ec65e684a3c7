/*
 * gc/expect: what the next cycle would take in one stop, from what the heap holds by now and what the last ones took.
 */
#ifndef GC_EXPECT_H
#define GC_EXPECT_H

#include <stdbool.h>
#include <stdint.h>

struct cycle;

/* A cycle has come to its end. The caller has its lock. */
void expect_note(const struct cycle *cycle);

/* To mark all blocks; to mark those that have been allocated since the last cycle, and read the rest. By any thread, without locks of the heap. */
uint64_t expect_full_ns(void);
uint64_t expect_young_ns(void);

#endif
