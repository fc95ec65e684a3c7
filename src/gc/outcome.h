/*
 * gc/outcome: what is learned from a cycle that has ended: for the history, the log, and the choice of the next one.
 */
#ifndef GC_OUTCOME_H
#define GC_OUTCOME_H

#include <stdbool.h>

struct cycle;

/* It came to its end, or to nothing. */
void outcome_note(const struct cycle *cycle);

/* One line, as the option gc_log wants it. */
void outcome_log(const struct cycle *cycle);

/* The heap has grown by as much as is collected young, and that has paid of late. */
bool outcome_wants_young(void);

/* The next cycle is to be one of young blocks in a stop: that is short enough, and the heap has not grown old yet. */
bool outcome_stops_for_young(void);

#endif
