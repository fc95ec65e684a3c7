/*
 * support/threads: what another thread of the program is doing, asked of the kernel, where nothing else can say it and a
 * sleep would only mostly be long enough. Allocates nothing.
 */
#ifndef TESTS_SUPPORT_THREADS_H
#define TESTS_SUPPORT_THREADS_H

#include <stdatomic.h>

/* Returns when the thread waits in the kernel. It puts its id there when nothing but the wait that is meant is left to do. */
void thread_await_sleep(const _Atomic int *thread_id);

/* Returns when the kernel has forgotten the thread. It puts its id there as long as it runs. */
void thread_await_end(const _Atomic int *thread_id);

#endif
