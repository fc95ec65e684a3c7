/* preload/wrap: what the wrappers share. */
#ifndef PRELOAD_WRAP_H
#define PRELOAD_WRAP_H

#include "preload/next.h"

#include <stdbool.h>

/* Ends the collector's work, since threads can't be stopped any more. */
void wrap_give_up(void);

/* Calls that hand requests to the kernel, or take what became of them: made so that the collector knows. */
bool wrap_is_request(long number);
long wrap_request(long number, long a, long b, long c, long d, long e, long f);

/* Makes a call that enters a sandbox; if it fails, nothing has changed. */
long wrap_seccomp(enum next_name name, long a, long b, long c, long d, long e);

/* Before a system call that the program makes by syscall(): see wrap_alone.c. */
void wrap_alone(long number);

/*
 * True when the caller is in a signal handler that has interrupted code of ours outside of a region: then its thread may hold
 * locks of ours.
 */
bool wrap_has_interrupted_us(void);

#endif
