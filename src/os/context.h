/*
 * os/context: what a signal has interrupted. The context is the third argument of a handler.
 */
#ifndef OS_CONTEXT_H
#define OS_CONTEXT_H

#include "os/tasks.h"

#include <stdbool.h>
#include <stdint.h>

/* The caller's own, now: at or below all it has on its stack. */
static inline uintptr_t os_stack_pointer(void)
{
    uintptr_t value;
#if defined(__x86_64__)
    __asm__ volatile("mov %%rsp, %0" : "=r"(value));
#else
    __asm__ volatile("mov %0, sp" : "=r"(value));
#endif
    return value;
}

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
 * The call that was interrupted: its number and arguments. `known` is what the thread was known to be blocked in before the
 * signal, or NULL. False when it is not known to be this call, and the registers don't say.
 */
bool os_context_call(const void *context, const struct os_call *known, struct os_call *call_out);

/* Lets that call be made again when the handler returns, or have a result. */
void os_context_restart(void *context, const struct os_call *call);
void os_context_set_result(void *context, long result);

/* Makes a call. */
long os_call_make(const struct os_call *call);

/* True when the context stands before a system call, made again or for the first time; then its number. */
bool os_context_before_call(const void *context, long *number_out);

/* That call; and how to step behind it, with a result, when it has been made. */
void os_context_next_call(const void *context, struct os_call *call_out);
void os_context_step(void *context, long result);

#endif
