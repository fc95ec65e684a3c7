/* preload/report: what the heap did, for the program's end and for whoever asks. */
#ifndef PRELOAD_REPORT_H
#define PRELOAD_REPORT_H

#include "gcalloc/heap.h"

/* The heap's figures, under the run lock. Returns 0 or -errno. */
int report_collect(gca_heap_stats *stats_out);

/* Writes the exit report if the options ask for one, and verifies the heap if they ask for that. */
void report_at_exit(void);

#endif
