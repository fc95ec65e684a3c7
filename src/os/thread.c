/*
 * os/thread: who runs, waiting, and time.
 *
 * Locks: none.
 */
#include "os/thread.h"

#include "os/syscall.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
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

_Bool os_futex_wait_for(const uint32_t *word, uint32_t expected, uint64_t timeout_ns)
{
    struct timespec timeout = {(time_t)(timeout_ns / 1000000000u),
                               (long)(timeout_ns % 1000000000u)};
    return os_syscall(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, (long)expected, (long)&timeout, 0,
                      0) != -ETIMEDOUT;
}

void os_futex_wake(const uint32_t *word, int count)
{
    os_syscall(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, count, 0, 0, 0);
}

int os_barrier_prepare(void)
{
    return (int)os_syscall3(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
}

int os_barrier_all(void)
{
    return (int)os_syscall3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

int os_alternate_stack(const void *stack, void *old_out)
{
    return (int)os_syscall3(SYS_sigaltstack, (long)stack, (long)old_out, 0);
}

uint64_t os_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t os_clock_coarse_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t clock_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t os_thread_work_ns(void)
{
    return clock_of(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t os_process_work_ns(void)
{
    return clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

unsigned os_processors(void)
{
    uint64_t mask[64] = {0}; /* the kernel wants room for all there might be */
    long bytes = os_syscall3(SYS_sched_getaffinity, 0, sizeof mask, (long)mask);
    unsigned count = 0;
    for (long i = 0; i < bytes / (long)sizeof *mask; i++)
        count += (unsigned)__builtin_popcountll(mask[i]);
    return count == 0 ? 1 : count;
}

/* abort() itself: a program's SIGABRT handler (crash reporters) is to run, and a returning one does not save it. */
_Noreturn void os_abort(void)
{
    abort();
}
