/*
 * gc/stand_in: in place of a collector, for who looks through memory and frees nothing.
 *
 * It never collects. It holds the locks that a look needs, around forks, too, and sees to it that threads can be stopped.
 *
 * Uses os, base, heap. Locks: one of its own, then those of the roots and the ledger: a collector's.
 */
#ifndef GC_STAND_IN_H
#define GC_STAND_IN_H

/* By the main thread, at first; later calls find it done. `heap_collector` is set afterwards. Returns 0 or -errno. */
int stand_in_start(void);

/* Its locks, for who looks without having started it. */
void stand_in_lock(void);
void stand_in_unlock(void);

#endif
