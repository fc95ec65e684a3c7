/*
 * os/thread: who runs, waiting, and time.
 *
 * Locks: none.
 */
#include "os/thread.h"

#include "os/syscall.h"

#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

int os_thread_id(void)
{
    return (int)os_syscall3(SYS_gettid, 0, 0, 0);
}

int os_process_id(void)
{
    return (int)os_syscall3(SYS_getpid, 0, 0, 0);
}

void os_futex_wait(const uint32_t *word, uint32_t expected)
{
    os_syscall(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, (long)expected, 0, 0, 0);
}

void os_futex_wake(const uint32_t *word, int count)
{
    os_syscall(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, count, 0, 0, 0);
}

uint64_t os_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* abort() itself: a program's SIGABRT handler (crash reporters) is to run, and a returning one does not save it. */
_Noreturn void os_abort(void)
{
    abort();
}
