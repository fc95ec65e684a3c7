/*
 * tools/seize: stops all threads of a process for a moment, and reads their registers.
 *
 * By ptrace(2), PTRACE_SEIZE and PTRACE_INTERRUPT: no signal is sent, no code runs in the process, and if this command
 * is killed the kernel lets the process go on. Calls that the stop cut short are made again.
 */
#ifndef TOOLS_SEIZE_H
#define TOOLS_SEIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

enum { SEIZE_SETS = 3 };

struct seized_thread {
    pid_t thread_id;
    bool is_stopped;
    int signal; /* one that was about to be delivered; it is handed on */
    struct user_regs_struct registers;
    uint8_t *sets[SEIZE_SETS]; /* general, floating point, all vector registers; NULL where there is none */
    size_t set_bytes[SEIZE_SETS];
};

struct seized {
    pid_t process_id;
    struct seized_thread *threads;
    size_t count;
    size_t left_out; /* threads that ended meanwhile */
};

/*
 * Returns 0; -ESRCH: it has ended; -EPERM: not permitted; -EBUSY: traced by another; -ETIMEDOUT: a thread does not stop.
 * Then nothing is stopped.
 */
int seize_begin(pid_t process_id, struct seized *seized_out);

/* Waits until one that was let go on for a moment has stopped again. Returns 0, -ESRCH or -ETIMEDOUT. */
int seize_await(struct seized_thread *thread, int *status_out);

/*
 * Before and after a short stop: while a process waits for us nobody else gets our processor, as far as we may say so. What
 * takes longer is done as everybody else does it; threads made meanwhile always do.
 */
void seize_hurry(bool is_urgent);

/* Lets all threads go on. Their registers stay readable until seize_free(). */
void seize_end(struct seized *seized);
void seize_free(struct seized *seized);

uintptr_t seized_program_counter(const struct seized_thread *thread);
uintptr_t seized_stack_pointer(const struct seized_thread *thread);
uintptr_t seized_thread_pointer(const struct seized_thread *thread);

/* The system call that the thread is in, or -1. */
long seized_call(const struct seized_thread *thread);

#endif
