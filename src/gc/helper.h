/*
 * gc/helper: the collector's own thread, which works while the program's run.
 *
 * Made when it is first needed, idle between cycles: it holds what tracks writes, in a table of descriptors of its own. Where
 * a process must have one thread only, or enters a sandbox, it is ended before.
 *
 * Uses os, heap. Locks: none; one caller at a time, who holds the cycle's lock.
 */
#ifndef GC_HELPER_H
#define GC_HELPER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Has the helper call the function, once. It is idle. Returns 0, or -errno where there can be no helper. */
int helper_give(void (*function)(void));

/* Ends it and waits until it is gone. It is idle, or there is none. */
void helper_quit(void);

/* Working memory of OS_HELPER_BYTES for a thread of the collector's, no root; nothing to do where there is some. Returns 0 or -ENOMEM. */
int helper_need_memory(void **memory_in_out);

/* In the child of a fork there is none. */
void helper_forget(void);

/* 0 when there is none. */
extern _Atomic int32_t helper_thread_id;

/* In the helper: it has no table of descriptors of its own. */
bool helper_shares_files(void);

#endif
