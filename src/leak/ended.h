/*
 * leak/ended: stacks of threads that have ended.
 *
 * libc keeps some of them for threads to come, as they were: full of addresses that nobody has any more. They are no
 * roots. What a thread returned is one until somebody has joined it.
 */
#ifndef LEAK_ENDED_H
#define LEAK_ENDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stopped;

/* Once, before there is a second thread. Returns 0 or -errno. */
int ended_start(void);

/* The calling thread has just begun, on a stack that libc has made. */
void ended_watch(uintptr_t stack_start, uintptr_t stack_end);

/* The thread, as pthread_self() calls it, has been joined. */
void ended_joined(uintptr_t thread);

/* Hides the stacks of threads that have ended, all others being stopped, from the scan of the roots; and ends that. */
void ended_hide(const struct stopped *threads, size_t count);
void ended_unhide(void);

#endif
