/* tools/held: values that a process has given to the kernel and that lie nowhere else. */
#ifndef TOOLS_HELD_H
#define TOOLS_HELD_H

#include "tools/snapshot.h"

/*
 * Adds what epoll_wait() would return and what timers would bring. The process stands still. Returns 0 or -errno.
 */
int held_read(struct snapshot *snapshot);

#endif
