/*
 * support/workload: a program in small: takes, fills, checks, resizes and frees blocks of all kinds of sizes, and ends
 * at once when one is not what it was.
 */
#ifndef TESTS_SUPPORT_WORKLOAD_H
#define TESTS_SUPPORT_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

/* Some steps of every kind. The same seed does the same. Blocks that cannot be had count as refused, not as wrong. */
void workload_run(uint64_t seed, unsigned steps);

/* The same within blocks of at most that size, for tiny address spaces. */
void workload_run_small(uint64_t seed, unsigned steps, size_t size_max_bytes);

/* How many requests were refused (NULL and ENOMEM) since the start. Any thread. */
unsigned workload_refused(void);

/* Resident memory now, in KiB, without allocating. */
size_t resident_kib(void);

#endif
