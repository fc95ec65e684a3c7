/*
 * os/helper: a thread of our own that libc does not know, with all signals blocked, no descriptors of the program's and
 * thread-local variables of its own, all zero.
 */
#ifndef OS_HELPER_H
#define OS_HELPER_H

#include <stdbool.h>
#include <stdint.h>

/* Where it lies: a whole number of pages, kept until os_helper_is_gone(). */
enum { OS_HELPER_BYTES = 256 * 1024 };

/*
 * Starts it in this memory. Its id is in *thread_id when this returns, and 0 again when the thread has ended, which it does
 * by returning. Returns 0; -ENOSYS where it is not known how; or what the kernel says.
 */
int os_helper_start(void *memory, void (*function)(void *context), void *context, _Atomic int32_t *thread_id);

/*
 * In the helper, first of all: a table of descriptors of its own, empty but for standard error if that is wanted. Returns 0 or
 * -errno: then it has the program's.
 */
int os_helper_leave_files(bool keep_errors);

/* In the child of a fork, which has none. */
void os_helper_forget(void);

/* The id is cleared some way before the thread's end. This waits until the kernel counts one thread less. */
void os_helper_await_end(int32_t id);

/* Gives way to whoever else wants the processor. */
void os_helper_yield(void);

#endif
