/*
 * gc/allowance: how much may be held before the quarantine sweeps.
 *
 * A sweep costs what the program lives on, not what it frees; so a program that frees much for its size is allowed more, within
 * limits.
 */
#ifndef GC_ALLOWANCE_H
#define GC_ALLOWANCE_H

#include <stddef.h>
#include <stdint.h>

/* Once, before the first sweep. */
void allowance_start(void);

/* So much may be held since the last turn. Callable by any thread. */
size_t allowance_bytes(void);

/* A sweep has ended that read so many bytes and took so much of the program's time. One caller at a time. */
void allowance_adapt(size_t read_bytes, uint64_t cost_ns);

#endif
