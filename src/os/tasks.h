/* os/tasks: the threads of this process as the kernel lists them, and what each is doing. Reads /proc/self/task. */
#ifndef OS_TASKS_H
#define OS_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Calls visit for the kernel's id of each thread, the caller's included, until it returns false. Threads that come or go
 * meanwhile may be missed. Returns 0 or -errno.
 */
int os_tasks_each(bool (*visit)(int thread_id, void *context), void *context);

/* How many threads the kernel counts, those included that have ended and are still listed; or -errno. */
long os_tasks_count(void);

/* A system call that a thread is blocked in. */
struct os_call {
    long number;
    uintptr_t arguments[6];
    uintptr_t stack_pointer;
    uintptr_t program_counter;
};

/* Returns 0; -EAGAIN when the thread runs or is in no system call; or -errno when the kernel does not say. */
int os_task_call(int thread_id, struct os_call *call_out);

struct os_task {
    char state;     /* R, S, D, T, t, Z, X as in proc(5) */
    bool is_kernel; /* a worker of io_uring or the like: it runs no code of the program's */
};

/* Returns 0, or -errno: -ENOENT or -ESRCH when the thread is gone. */
int os_task_look(int thread_id, struct os_task *task_out);

/* The signals that wait for a thread itself, since it blocks them; bit 0 for signal 1. Returns 0 or -errno. */
int os_task_held_signals(int thread_id, uint64_t *mask_out);

#endif
