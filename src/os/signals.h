/*
 * os/signals: dispositions, masks and sending, by raw system calls.
 *
 * Raw, because libc hides its own two signals from whoever asks it, and because the program may have interposed the rest.
 * Masks have bit 0 for signal 1. Every call returns 0 or -errno.
 */
#ifndef OS_SIGNALS_H
#define OS_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void os_signal_handler(int signal, void *info, void *context);

/* What the kernel holds for a signal; the layout is the kernel's. */
struct os_disposition {
    os_signal_handler *handler; /* NULL and 1 are SIG_DFL and SIG_IGN */
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

int os_signal_get(int signal, struct os_disposition *disposition_out);
int os_signal_set(int signal, const struct os_disposition *disposition);

/* A disposition for a handler that takes three arguments, with all signals blocked; on the alternate stack if there is one. */
struct os_disposition os_signal_disposition(os_signal_handler *handler, bool on_alternate_stack);

/* What the kernel puts on the stack for a handler. */
size_t os_signal_stack_bytes(void);

bool os_signal_is_handled(const struct os_disposition *disposition);
bool os_signal_restarts_calls(const struct os_disposition *disposition);

/* Sends a signal with a value to one thread of this process. */
int os_signal_send(int process_id, int thread_id, int signal, uintptr_t value);

/* True, and the value, when the signal came from os_signal_send() in the process with this id. */
bool os_signal_value(const void *info, int process_id, uintptr_t *value_out);

/* Blocks every signal there is, libc's own included, and says what was blocked before. */
uint64_t os_signal_block_all(void);
void os_signal_set_mask(uint64_t mask);
void os_signal_unblock(int signal);

/* Signals that wait for the calling thread or the process and are blocked by the thread. */
uint64_t os_signal_pending(void);

#endif
