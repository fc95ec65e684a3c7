/* gc/restart: a system call that our signal has cut short is made again, as if nothing had been. */
#ifndef GC_RESTART_H
#define GC_RESTART_H

#include <stdbool.h>

struct os_call;

/*
 * In a handler for our signal, as its last act: mends the context it returns to. `known` is what the thread was known to be
 * blocked in before the signal, or NULL. A thread that is registered may be asked for its thread-local variables; one that a
 * bare clone made has perhaps none.
 */
void restart_interrupted(void *context, const struct os_call *known, bool is_registered);

#endif
