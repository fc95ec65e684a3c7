/* gc/restart: a system call that our signal has cut short is made again, as if nothing had been. */
#ifndef GC_RESTART_H
#define GC_RESTART_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct os_call;

/*
 * In a handler for our signal, as its last act: mends the context it returns to. `known` is what the thread was known to be
 * blocked in before the signal, or NULL. A thread that is registered may be asked for its thread-local variables; one that a
 * bare clone made has perhaps none.
 *
 * A call that is made here may take for ever. Before it `busy`, which counts threads in the handler, is counted down; returns whether it was.
 */
bool restart_interrupted(void *context, const struct os_call *known, bool is_registered, _Atomic uint32_t *busy);

#endif
