/*
 * preload/wrap_request: requests to the kernel whose answers come later, by io_uring and aio, made by syscall(2).
 *
 * What only the kernel has of them is kept for the collector (gc/inflight.h). liburing and libaio make their calls
 * themselves, and so are not seen here.
 */
#include "gc/inflight.h"
#include "preload/next.h"
#include "preload/wrap.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

bool wrap_is_request(long number)
{
    switch (number) {
    case SYS_io_uring_setup:
    case SYS_io_uring_enter:
    case SYS_io_submit:
    case SYS_io_getevents:
    case SYS_io_pgetevents:
    case SYS_io_destroy:
        return true;
    default:
        return false;
    }
}

/* The kernel takes requests one by one, up to the first that is wrong. */
static long submit(uint64_t context, long count, void *const *requests)
{
    bool is_list = requests != NULL && count > 0;
    if (is_list)
        inflight_submit(context, requests, count);
    long taken = next_call_7(SYS_io_submit, (long)context, count, (long)requests, 0, 0, 0, NEXT_syscall);
    long kept = taken < 0 ? 0 : taken;
    if (is_list)
        inflight_take_back(context, requests + kept, count - kept);
    return taken;
}

long wrap_request(long number, long a, long b, long c, long d, long e, long f)
{
    if (number == SYS_io_submit)
        return submit((uint64_t)a, b, (void *const *)c);
    long result = next_call_7(number, a, b, c, d, e, f, NEXT_syscall);
    if (number == SYS_io_uring_setup && result >= 0)
        inflight_setup((int)result, (const void *)b);
    else if (number == SYS_io_uring_enter)
        inflight_entered((int)a);
    else if (number == SYS_io_destroy && result == 0)
        inflight_destroy((uint64_t)a);
    else if ((number == SYS_io_getevents || number == SYS_io_pgetevents) && result > 0)
        inflight_complete((uint64_t)a, (const void *)d, result);
    return result;
}
