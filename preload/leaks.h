/* preload/leaks: looks for leaks when the program ends. */
#ifndef PRELOAD_LEAKS_H
#define PRELOAD_LEAKS_H

/* With the option leaks: makes ready, before there is a second thread. */
void leaks_start(void);

/* Looks for leaks now, for the last time. Returns the status to end with, or 0. */
int leaks_check_last(void);

/* The program is about to exec, and would not come back. */
void leaks_before_exec(void);

#endif
