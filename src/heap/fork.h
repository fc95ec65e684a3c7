/*
 * heap/fork: every lock of the heap at once, and the heap in the child of a fork.
 */
#ifndef HEAP_FORK_H
#define HEAP_FORK_H

/* Registers the handlers, once, before anybody else can register theirs: ours then are the last before the fork. */
void fork_register(void);

/*
 * Takes and releases all locks of the heap, in lock order: no table is in the middle of a change then. Threads may still be
 * inside the fast paths, which take none.
 */
void heap_lock_all(void);
void heap_unlock_all(void);

#endif
