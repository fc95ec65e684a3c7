/* tools/child: a program run under us as if we were not there. */
#ifndef TOOLS_CHILD_H
#define TOOLS_CHILD_H

/*
 * Runs the program and waits for its end. Signals that others send us are handed on, and when it is
 * stopped or continued, so are we. Returns 0 and its wait status, the positive errno of a failed
 * exec, or the negative one of what failed before it.
 */
int child_run(char **arguments, int *wait_status_out);

/* Ends this process as the program ended: with its status, or by its signal. No core dump is made
 * of us. */
_Noreturn void child_end_alike(int wait_status);

#endif
