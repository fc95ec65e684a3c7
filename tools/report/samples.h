/*
 * tools/report/samples: what a report means whose program recorded samples only.
 *
 * Every block has been classified and counted, but only blocks that a sample hit have a stack; each of them stands for
 * more of its kind (gcalloc-report(5), weight_blocks). All that shows a report works with these estimates.
 */
#ifndef TOOLS_REPORT_SAMPLES_H
#define TOOLS_REPORT_SAMPLES_H

#include "tools/report/report.h"

/* Makes estimates of what records hold, once. Nothing changes in a report where every block has a stack. */
void samples_scale(struct report *report);

#endif
