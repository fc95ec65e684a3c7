/*
 * heap/fork: the heap in the child of a fork.
 */
#ifndef HEAP_FORK_H
#define HEAP_FORK_H

/* Registers the handlers, once, before anybody else can register theirs: ours then are the last before the fork. */
void fork_register(void);

#endif
