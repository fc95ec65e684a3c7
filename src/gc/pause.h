/*
 * gc/pause: the time that threads stand still for a collection: who is told of it, and where it is counted.
 */
#ifndef GC_PAUSE_H
#define GC_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

/* Called at the beginning, with 0, and at the end, with how long it was; by the collecting thread, while all run. */
typedef void pause_callback(bool is_end, uint64_t pause_ns, void *data);

/* Replaces the one there is; NULL: nobody is told. */
void pause_set_callback(pause_callback *callback, void *data);

/*
 * Around stop_begin() and stop_end(), outside of both and of the heap's locks. The end is that of a pause that was: when
 * nobody could be stopped it is counted all the same.
 */
void pause_begin(void);
void pause_end(void);

/* For one that the helper has made, where no function of the program's can run: it is counted, and nobody told. */
void pause_note(uint64_t start_ns, uint64_t end_ns);

void pause_lock(void);
void pause_unlock(void);
void pause_lock_reset(void);

#endif
