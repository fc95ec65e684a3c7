/*
 * leak/survey: a report about this very process, made while all of its other threads are stopped.
 */
#ifndef LEAK_SURVEY_H
#define LEAK_SURVEY_H

#include "leak/report.h"

#include <stdbool.h>

/*
 * Once, by the main thread before there are others: makes ready to stop threads. Without a collector this also takes the
 * collector's place as the one whom forks lock out. Returns 0 or -errno.
 */
int survey_start(void);

/*
 * Classifies every block and builds a report, which is to be dropped. `at_exit`: the program has ended; if main() has
 * returned, nothing on its stack counts. Returns 0; -EPERM in a process that shares another's memory; -EAGAIN when some
 * thread could not be stopped; or another -errno when some memory could not be had or read. The caller holds no lock.
 */
int survey_take(struct report *report, const struct report_about *about, bool at_exit);

/*
 * From now on blocks are born with this birth, from 1 to BIRTH_COUNT - 1, and those that had it are old. Returns 0,
 * -EOPNOTSUPP with a collector, whose births they are; or as above.
 */
int survey_begin_birth(uint32_t birth);

/* Whether what a signal has interrupted is code of ours, or of libc's that we have called. */
bool survey_is_ours(const void *context);

#endif
