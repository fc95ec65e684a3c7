/*
 * gc/restart: a system call that our signal has cut short is made again.
 *
 * The kernel does so itself for some calls, since the handler asks for it (SA_RESTART); others fail with EINTR whatever
 * the handler asks, which is what we take back. Where we can the handler makes the call, in a safe region: then the next
 * stop leaves it alone, and a call with a timeout comes to its end however often there are stops.
 *
 * If a signal of the program's has arrived during the stop, the program's handler runs as soon as ours returns, and the call
 * must fail as it would have without us: always, or, for those that can be restarted, unless that handler asks for it.
 *
 * Locks: none.
 */
#include "gc/restart.h"

#include "gc/region.h"
#include "os/context.h"
#include "os/signals.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

/* Calls that fail with EINTR when a handler without SA_RESTART has run, as far as programs wait in them. */
static bool can_be_interrupted(long number)
{
    switch (number) {
    case SYS_read:
    case SYS_readv:
    case SYS_write:
    case SYS_writev:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_accept:
    case SYS_accept4:
    case SYS_connect:
    case SYS_wait4:
    case SYS_waitid:
    case SYS_flock:
    case SYS_futex:
    case SYS_fcntl:
    case SYS_openat:
    case SYS_mq_timedsend:
    case SYS_mq_timedreceive:
#ifdef SYS_open
    case SYS_open:
#endif
        return true;
    default:
        return false;
    }
}

/* True when a handler of the program's runs next; whether it lets calls be restarted. */
static bool handler_follows(const void *context, bool *restarts_out)
{
    uint64_t pending = os_signal_pending() & ~os_context_mask(context);
    for (int signal = 1; pending != 0; signal++, pending >>= 1) {
        struct os_disposition disposition;
        if ((pending & 1) == 0 || os_signal_get(signal, &disposition) != 0 ||
            !os_signal_is_handled(&disposition))
            continue;
        *restarts_out = os_signal_restarts_calls(&disposition);
        return true;
    }
    return false;
}

struct again {
    struct os_call call;
    uint64_t mask;
    bool is_made;
    long result;
    _Atomic uint32_t *busy;
};

/*
 * In the region: with the program's own mask, as the call was made. A handler that has run meanwhile ends it. From here on we may
 * wait for as long as the program would, or not come back: a handler may jump.
 */
static long make_again(long address, long b, long c, long d, long e, long f, long g)
{
    struct again *again = (struct again *)address;
    uint64_t handled_count = region_handled_count();
    (void)b, (void)c, (void)d, (void)e, (void)f, (void)g;
    atomic_fetch_sub(again->busy, 1);
    os_signal_set_mask(again->mask);
    again->is_made = region_handled_count() == handled_count;
    if (again->is_made)
        again->result = os_call_make(&again->call);
    return 0;
}

/* This and the next one return whether make_again() has run, and with it the program's call or handler. */
static bool restart(void *context, const struct os_call *known, bool is_registered, _Atomic uint32_t *busy)
{
    struct again again = {.mask = os_context_mask(context), .result = -EINTR, .busy = busy};
    if (!os_context_call(context, known, &again.call) || again.call.number == SYS_restart_syscall)
        return false;
    uintptr_t end;
    bool is_cramped = os_context_on_alternate_stack(context, (uintptr_t)&again, &end);
    if (!is_registered || is_cramped || !region_is_possible()) {
        os_context_restart(context, &again.call);
        return false;
    }
    region_call(make_again, (long)&again, 0, 0, 0, 0, 0, 0);
    os_context_set_result(context, again.result);
    return true;
}

/*
 * A call that the kernel would restart, or that has not begun: made here and now, in a region, it costs the next stops
 * nothing however long it takes.
 */
static bool make_early(void *context, bool is_registered, _Atomic uint32_t *busy)
{
    struct again again = {.mask = os_context_mask(context), .result = -EINTR, .busy = busy};
    uintptr_t end;
    if (!is_registered || os_context_on_alternate_stack(context, (uintptr_t)&again, &end) ||
        !region_is_possible())
        return false;
    os_context_next_call(context, &again.call);
    region_call(make_again, (long)&again, 0, 0, 0, 0, 0, 0);
    if (again.is_made)
        os_context_step(context, again.result);
    return true;
}

bool restart_interrupted(void *context, const struct os_call *known, bool is_registered, _Atomic uint32_t *busy)
{
    long number = -1;
    bool restarts;
    if (os_context_is_interrupted(context)) {
        if (!handler_follows(context, &restarts))
            return restart(context, known, is_registered, busy);
    } else if (os_context_before_call(context, &number) && can_be_interrupted(number)) {
        if (!handler_follows(context, &restarts))
            return make_early(context, is_registered, busy);
        if (!restarts)
            os_context_step(context, -EINTR);
    }
    return false;
}
