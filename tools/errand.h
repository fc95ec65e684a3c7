/*
 * tools/errand: has a stopped process make a descriptor for us.
 *
 * One of its threads makes the call in code of the library that waits there for this (os/errand.h), with every signal
 * blocked and all other threads stopped, and closes the descriptor again as soon as we have a duplicate; then it has its
 * registers and signals back and stands where it stood, in the middle of a call if it was in one. The program's own code
 * does not run meanwhile. If this command is killed in between, the thread does the rest by itself.
 */
#ifndef TOOLS_ERRAND_H
#define TOOLS_ERRAND_H

#include "base/image.h"
#include "tools/seize.h"
#include "tools/target.h"

/*
 * Makes the call with one argument. Returns our descriptor; -ENOSYS: not on this machine; -EACCES: the process has a
 * seccomp filter, which might end it for the call; -EAGAIN: no thread is in a state for this; -ESRCH; or what the call
 * itself returns.
 */
int errand_descriptor(struct seized *seized, const struct target *target, const struct image *header, long call,
                      long argument);

#endif
