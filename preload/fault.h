/* preload/fault: a program that faults on memory the quarantine has taken from it is told so. */
#ifndef PRELOAD_FAULT_H
#define PRELOAD_FAULT_H

#include <signal.h>

/* In a handler of SIGSEGV. Async-signal-safe. */
void fault_report(const siginfo_t *info, const void *context);

/* Has faults told from now on; called by the main thread before there are others. See wrap_signal.c. */
void fault_start(void);

#endif
