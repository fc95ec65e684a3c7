/*
 * gc/pressure: memory is short in the machine or the container, and what follows.
 *
 * Looked at on slow paths of allocating, ten times a second at most, and by nobody while the heap does not grow.
 */
#ifndef GC_PRESSURE_H
#define GC_PRESSURE_H

#include <stdbool.h>

enum pressure_level { PRESSURE_NONE, PRESSURE_SOME, PRESSURE_CRITICAL };

typedef void pressure_callback(int level, void *data);

/* Adds a function to be called, or removes it. Returns 0, -ENOMEM, or -ENOENT for what was not added. */
int pressure_add(pressure_callback *callback, void *data);
int pressure_remove(pressure_callback *callback, void *data);

/* Looks now, and calls the functions if memory is short. No lock of the heap is held. */
enum pressure_level pressure_look(void);

/*
 * For the heap's growing: looks if it is time to. True when a cycle should run, although none is due: memory has become
 * short, or still is a second after the last such cycle. No lock of the heap is held.
 */
bool pressure_wants_cycle(void);

/* Around a fork. */
void pressure_lock(void);
void pressure_unlock(void);
void pressure_lock_reset(void);

#endif
