/*
 * os/tracking: which pages have been written since a moment.
 *
 * A write to a protected page costs the program a short fault that the kernel settles by itself; no signal, no handler,
 * and what the kernel writes on the program's behalf (read, recv) counts too. Where the kernel or a filter forbids it,
 * where the program has closed our descriptors, and in the child of a fork, everything counts as written.
 *
 * Not seen: io_uring's fixed buffers registered before the range was protected; writes through another mapping of the
 * same memory.
 *
 * Costs two descriptors, close-on-exec, out of the way of the program's. One caller at a time.
 */
#ifndef OS_TRACKING_H
#define OS_TRACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Called for a range that was written, or that nothing is known of. */
typedef void os_tracking_visit(uintptr_t start, uintptr_t end, void *context);

/* Finds out whether writes can be tracked. Returns 0, or -errno: everything will count as written. May be called again. */
int os_tracking_start(void);

/* Everything counts as written from now on; nothing costs a fault any more. */
void os_tracking_stop(void);

/*
 * Before os_tracking_stop(), for what was tracked: piece by piece. All at once would keep faults of the program's waiting for as long as it
 * takes the kernel to look at every page.
 */
void os_tracking_leave(uintptr_t start, uintptr_t end);

/* In the child of a fork, first of all: the descriptors are copies that act on the parent's memory. */
void os_tracking_forget(void);

/* There, when the descriptors were in another thread's own table, which the child does not have. */
void os_tracking_abandon(void);

bool os_tracking_is_on(void);

/*
 * Begins an epoch for a range of private anonymous memory, in whatever mappings it lies: calls `visit` for what was
 * written since its last one, and tracks it from now on; a write during the call belongs to one side or the other. The first
 * time that is all there is. Pages that hold nothing are never visited as long as tracking works. Returns 0, or -errno
 * after having visited all of the range.
 */
int os_tracking_epoch(uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context);

/* The same without beginning an epoch. */
int os_tracking_dirty(uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context);

/* The same in a third of the time, while other threads are stopped; a few pages that hold nothing may be visited. */
int os_tracking_dirty_quick(uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context);

/*
 * os_tracking_epoch() and os_tracking_dirty_quick() by several threads at once, each for a piece. Each but the one that has called
 * os_tracking_start() has a looker, in memory that is zero at first and hidden where addresses are looked for, and a table of descriptors
 * of its own, in which os_looker_prepare() opens what it needs: 0, or -errno.
 */
struct os_looker;
size_t os_looker_bytes(void);
int os_looker_prepare(struct os_looker *looker);

/* First of all, and again when mappings may have been made anew: by the one that has started. Returns 0 or -errno. */
int os_tracking_enlist(uintptr_t start, uintptr_t end);

/* `looker` is NULL for the one that has started. What can't be told of is visited. */
void os_tracking_epoch_by(struct os_looker *looker, uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context);
void os_tracking_dirty_by(struct os_looker *looker, uintptr_t start, uintptr_t end, os_tracking_visit *visit, void *context);

#endif
