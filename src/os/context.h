/*
 * os/context: what a signal has interrupted. The context is the third argument of a handler.
 */
#ifndef OS_CONTEXT_H
#define OS_CONTEXT_H

#include "os/tasks.h"

#include <stdbool.h>
#include <stdint.h>

uintptr_t os_context_stack_pointer(const void *context);
uintptr_t os_context_program_counter(const void *context);

/* The signals that were blocked, bit 0 for signal 1. */
uint64_t os_context_mask(const void *context);

/* Bytes below a stack pointer that code may use. */
enum { OS_RED_ZONE_BYTES = 128 };

/* True when the address lies on the alternate stack that the context names; then its bounds. */
bool os_context_on_alternate_stack(const void *context, uintptr_t address, uintptr_t *end_out);

/* True when the context stands behind a system call that has just failed with EINTR. */
bool os_context_is_interrupted(const void *context);

/*
 * Lets the interrupted call be made again when the handler returns. `call` is what the thread was known to be blocked in
 * before the signal, or NULL; nothing happens, and the result is false, when that is another call or can't be told.
 */
bool os_context_restart(void *context, const struct os_call *call);

/* True when the context stands before a system call, made again or for the first time; then its number. */
bool os_context_before_call(const void *context, long *number_out);

/* Lets the call before which the context stands fail with EINTR. */
void os_context_interrupt(void *context);

#endif
