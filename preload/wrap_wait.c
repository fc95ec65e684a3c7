/*
 * preload/wrap_wait: calls that wait for time, descriptors, signals and semaphores. A signal ends them all.
 */
#include "preload/export.h"
#include "preload/next.h"
#include "preload/wrap.h"

#include <aio.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

EXPORT int nanosleep(const struct timespec *time, struct timespec *left)
{
    return (int)next_call((long)time, (long)left, 0, 0, 0, NEXT_nanosleep);
}

EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                           struct timespec *left)
{
    return (int)next_call(clock, flags, (long)time, (long)left, 0, NEXT_clock_nanosleep);
}

EXPORT int thrd_sleep(const struct timespec *time, struct timespec *left)
{
    return (int)next_call((long)time, (long)left, 0, 0, 0, NEXT_thrd_sleep);
}

EXPORT int usleep(useconds_t time_us)
{
    return (int)next_call((long)time_us, 0, 0, 0, 0, NEXT_usleep);
}

EXPORT unsigned sleep(unsigned seconds)
{
    return (unsigned)next_call((long)seconds, 0, 0, 0, 0, NEXT_sleep);
}

EXPORT int poll(struct pollfd *files, nfds_t count, int timeout_ms)
{
    return (int)next_call((long)files, (long)count, timeout_ms, 0, 0, NEXT_poll);
}

EXPORT int ppoll(struct pollfd *files, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask)
{
    return (int)next_call((long)files, (long)count, (long)timeout, (long)mask, 0, NEXT_ppoll);
}

EXPORT int select(int count, fd_set *restrict read, fd_set *restrict write, fd_set *restrict except,
                  struct timeval *restrict timeout)
{
    return (int)next_call(count, (long)read, (long)write, (long)except, (long)timeout, NEXT_select);
}

EXPORT int pselect(int count, fd_set *restrict read, fd_set *restrict write,
                   fd_set *restrict except, const struct timespec *restrict timeout,
                   const sigset_t *restrict mask)
{
    return (int)next_call_6(count, (long)read, (long)write, (long)except, (long)timeout, (long)mask,
                            NEXT_pselect);
}

EXPORT int epoll_wait(int set, struct epoll_event *events, int count_max, int timeout_ms)
{
    return (int)next_call(set, (long)events, count_max, timeout_ms, 0, NEXT_epoll_wait);
}

EXPORT int epoll_pwait(int set, struct epoll_event *events, int count_max, int timeout_ms,
                       const sigset_t *mask)
{
    return (int)next_call(set, (long)events, count_max, timeout_ms, (long)mask, NEXT_epoll_pwait);
}

EXPORT int epoll_pwait2(int set, struct epoll_event *events, int count_max,
                        const struct timespec *timeout, const sigset_t *mask)
{
    return (int)next_call(set, (long)events, count_max, (long)timeout, (long)mask,
                          NEXT_epoll_pwait2);
}

EXPORT int pause(void)
{
    return (int)next_call(0, 0, 0, 0, 0, NEXT_pause);
}

EXPORT int sigsuspend(const sigset_t *mask)
{
    return (int)next_call((long)mask, 0, 0, 0, 0, NEXT_sigsuspend);
}

EXPORT int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
                        const struct timespec *restrict timeout)
{
    return (int)next_call((long)set, (long)info, (long)timeout, 0, 0, NEXT_sigtimedwait);
}

EXPORT int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
    return (int)next_call((long)set, (long)info, 0, 0, 0, NEXT_sigwaitinfo);
}

EXPORT int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until)
{
    return (int)next_call((long)semaphore, (long)until, 0, 0, 0, NEXT_sem_timedwait);
}

EXPORT int sem_clockwait(sem_t *restrict semaphore, clockid_t clock,
                         const struct timespec *restrict until)
{
    return (int)next_call((long)semaphore, clock, (long)until, 0, 0, NEXT_sem_clockwait);
}

EXPORT int semop(int set, struct sembuf *operations, size_t count)
{
    return (int)next_call(set, (long)operations, (long)count, 0, 0, NEXT_semop);
}

EXPORT int semtimedop(int set, struct sembuf *operations, size_t count,
                      const struct timespec *timeout)
{
    return (int)next_call(set, (long)operations, (long)count, (long)timeout, 0, NEXT_semtimedop);
}

EXPORT int msgsnd(int queue, const void *message, size_t size_bytes, int flags)
{
    return (int)next_call(queue, (long)message, (long)size_bytes, flags, 0, NEXT_msgsnd);
}

EXPORT ssize_t msgrcv(int queue, void *message, size_t size_bytes, long type, int flags)
{
    return (ssize_t)next_call(queue, (long)message, (long)size_bytes, type, flags, NEXT_msgrcv);
}

EXPORT int aio_suspend(const struct aiocb *const *requests, int count,
                       const struct timespec *timeout)
{
    return (int)next_call((long)requests, count, (long)timeout, 0, 0, NEXT_aio_suspend);
}

/* What a program compiled with _FORTIFY_SOURCE calls. */
EXPORT int __poll_chk(struct pollfd *files, nfds_t count, int timeout_ms, size_t files_bytes)
{
    return (int)next_call((long)files, (long)count, timeout_ms, (long)files_bytes, 0,
                          NEXT___poll_chk);
}

EXPORT int __ppoll_chk(struct pollfd *files, nfds_t count, const struct timespec *timeout,
                       const sigset_t *mask, size_t files_bytes)
{
    return (int)next_call((long)files, (long)count, (long)timeout, (long)mask, (long)files_bytes,
                          NEXT___ppoll_chk);
}

/* Calls that wait and come back to where they were made: those that end a thread or make a process do not. */
static bool is_waiting(long number)
{
    switch (number) {
    case SYS_clock_nanosleep:
    case SYS_epoll_pwait:
    case SYS_futex:
    case SYS_io_getevents:
    case SYS_nanosleep:
    case SYS_ppoll:
    case SYS_pselect6:
    case SYS_read:
    case SYS_readv:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_sendmsg:
    case SYS_sendto:
    case SYS_write:
    case SYS_writev:
#ifdef SYS_io_uring_enter
    case SYS_io_uring_enter:
#endif
#ifdef SYS_epoll_pwait2
    case SYS_epoll_pwait2:
#endif
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
    case SYS_pause:
    case SYS_poll:
    case SYS_select:
#endif
        return true;
    default:
        return false;
    }
}

EXPORT long syscall(long number, ...)
{
    va_list rest;
    va_start(rest, number);
    long a = va_arg(rest, long);
    long b = va_arg(rest, long);
    long c = va_arg(rest, long);
    long d = va_arg(rest, long);
    long e = va_arg(rest, long);
    long f = va_arg(rest, long);
    va_end(rest);
    wrap_alone(number);
    if (number == SYS_seccomp || (number == SYS_prctl && a == PR_SET_SECCOMP))
        return wrap_seccomp(NEXT_syscall, number, a, b, c, d);
    if (region_is_on && wrap_is_request(number))
        return wrap_request(number, a, b, c, d, e, f);
    if (region_is_on && is_waiting(number))
        return next_call_7(number, a, b, c, d, e, f, NEXT_syscall);
    return ((region_function *)next_function(NEXT_syscall))(number, a, b, c, d, e, f);
}
