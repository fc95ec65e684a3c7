/*
 * preload/wrap_signal: a handler of the program's that interrupts a call in a safe region is no part of that call.
 *
 * While the collector is on, the kernel gets our handler in place of each of the program's; it ends the region, calls the
 * program's, and takes the region up again. Whoever asks for the handler is told the program's own. Flags and masks are
 * the program's. A collector that has given up leaves those handlers that the kernel has.
 *
 * Locks: none: sigaction may be called in handlers.
 */
#include "base/image.h"
#include "gc/region.h"
#include "gc/threads.h"
#include "leak/survey.h"
#include "os/context.h"
#include "os/signals.h"
#include "os/thread.h"
#include "preload/export.h"
#include "preload/fault.h"
#include "preload/next.h"
#include "preload/wrap.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef void handler(int signal, siginfo_t *info, void *context);

enum { SIGNAL_COUNT = 65 };

/* The program's handlers of those signals for which the kernel has ours. */
static _Atomic uintptr_t handlers[SIGNAL_COUNT];

/* Faults are told of: the kernel has our handler of SIGSEGV also while the program has none. */
static bool tells_faults;

/* The program's handler of SIGSEGV takes no siginfo; the kernel makes one all the same, for us. */
static _Atomic bool hides_siginfo;

/* What the kernel would have done: the access is made again, or the signal is sent again, without a handler. */
COLD static void default_fault(const siginfo_t *info)
{
    struct os_disposition none = {0};
    os_signal_set(SIGSEGV, &none);
    if (info->si_code <= 0)
        os_signal_send(os_process_id(), os_thread_id(), SIGSEGV, 0);
}

/* A handler of the program's on its way, and what it has interrupted. */
struct interruption {
    const void *context;
    bool in_region;
    const struct interruption *outer;
    uintptr_t seal;
};

/*
 * A longjmp leaves behind what it jumps over. That lies below the stack pointer then, or, once the stack has grown again, has been
 * overwritten: the seal says so.
 */
static _Thread_local const struct interruption *innermost;

static uintptr_t seal_of(const struct interruption *interruption)
{
    return (uintptr_t)interruption ^ (uintptr_t)0x9e3779b97f4a7c15;
}

static void handle(int signal, siginfo_t *info, void *context)
{
    uintptr_t suspended = region_is_on ? region_suspend() : 0;
    struct interruption interruption = {context, suspended != 0, innermost, 0};
    interruption.seal = seal_of(&interruption);
    innermost = &interruption;
    if (UNLIKELY(signal == SIGSEGV && tells_faults))
        fault_report(info, context);
    /* A handler that takes one argument leaves the others alone. */
    if (LIKELY(handlers[signal] != 0))
        ((handler *)handlers[signal])(signal, info, context);
    else
        default_fault(info);
    innermost = interruption.outer;
    region_resume(suspended);
}

COLD bool wrap_has_interrupted_us(void)
{
    const struct interruption *interruption = innermost;
    for (unsigned i = 0; interruption != NULL && i < 16; i++, interruption = interruption->outer) {
        if ((uintptr_t)interruption < os_stack_pointer() || interruption->seal != seal_of(interruption))
            return false;
        if (!interruption->in_region && survey_is_ours(interruption->context))
            return true;
    }
    return false;
}

static bool is_function(uintptr_t value)
{
    enum { LAST_SPECIAL = 2 }; /* SIG_DFL, SIG_IGN, SIG_HOLD; SIG_ERR is -1 */
    return value > LAST_SPECIAL && value != UINTPTR_MAX;
}

static bool is_own_process(void)
{
    return region_is_on ? threads_is_own_process() : image_now != NULL && image_now->process_id == os_process_id();
}

/*
 * What to give the kernel in place of `wanted`. The child of a vfork shares our memory, but has dispositions of its own,
 * until it execs: there a handler is installed as it is.
 */
static uintptr_t replace(int signal, uintptr_t wanted, uintptr_t *before_out)
{
    bool is_known = signal > 0 && signal < SIGNAL_COUNT;
    *before_out = is_known ? handlers[signal] : 0;
    bool is_told = signal == SIGSEGV && tells_faults;
    bool is_default = wanted == (uintptr_t)SIG_DFL && is_told;
    if ((!region_is_on && !is_told) || !is_known || (!is_function(wanted) && !is_default) || !is_own_process())
        return wanted;
    handlers[signal] = wanted; /* before the kernel knows: the next signal may be for the new one */
    return (uintptr_t)handle;
}

/* What to tell the program. */
static uintptr_t translate(uintptr_t found, uintptr_t before)
{
    return found == (uintptr_t)handle ? before : found;
}

COLD static void translate_action(int signal, struct sigaction *found, uintptr_t before, bool hid_siginfo)
{
    bool was_ours = (uintptr_t)found->sa_handler == (uintptr_t)handle;
    if (was_ours && signal == SIGSEGV && hid_siginfo)
        found->sa_flags &= ~SA_SIGINFO;
    if (was_ours && before == 0)
        *found = (struct sigaction){.sa_handler = SIG_DFL}; /* the flags were ours as well */
    else
        found->sa_handler = (__sighandler_t)translate((uintptr_t)found->sa_handler, before);
}

/* The action that puts our handler into the place of the program's. */
static struct sigaction action_of_ours(int signal, const struct sigaction *wanted, uintptr_t given)
{
    struct sigaction ours = *wanted;
    ours.sa_handler = (__sighandler_t)given;
    if (given == (uintptr_t)wanted->sa_handler)
        return ours;
    if (wanted->sa_handler == SIG_DFL)
        ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    if (signal == SIGSEGV && tells_faults) {
        hides_siginfo = (ours.sa_flags & SA_SIGINFO) == 0;
        ours.sa_flags |= SA_SIGINFO;
    }
    return ours;
}

EXPORT int sigaction(int signal, const struct sigaction *restrict action,
                     struct sigaction *restrict old)
{
    region_function *function = (region_function *)next_function(NEXT_sigaction);
    struct sigaction replaced;
    uintptr_t before;
    uintptr_t wanted = action != NULL ? (uintptr_t)action->sa_handler : 0;
    uintptr_t given = action != NULL ? replace(signal, wanted, &before) : 0;
    bool hid_siginfo = hides_siginfo;
    if (action == NULL)
        before = signal > 0 && signal < SIGNAL_COUNT ? handlers[signal] : 0;
    else
        replaced = action_of_ours(signal, action, given);
    int result = (int)function(signal, action != NULL ? (long)&replaced : 0, (long)old, 0, 0, 0, 0);
    if (result == 0 && old != NULL)
        translate_action(signal, old, before, hid_siginfo);
    if (result != 0 && given != wanted) {
        handlers[signal] = before;
        hides_siginfo = hid_siginfo;
    }
    return result;
}

/* These have set a handler that takes no siginfo. */
COLD static void ask_for_siginfo(void)
{
    region_function *function = (region_function *)next_function(NEXT_sigaction);
    struct sigaction action;
    if (function(SIGSEGV, 0, (long)&action, 0, 0, 0, 0) != 0 || (uintptr_t)action.sa_handler != (uintptr_t)handle)
        return;
    hides_siginfo = true;
    action.sa_flags |= SA_SIGINFO;
    function(SIGSEGV, (long)&action, 0, 0, 0, 0, 0);
}

static uintptr_t set_simply(enum next_name name, int signal, uintptr_t wanted)
{
    region_function *function = (region_function *)next_function(name);
    uintptr_t before;
    uintptr_t given = replace(signal, wanted, &before);
    uintptr_t found = (uintptr_t)function(signal, (long)given, 0, 0, 0, 0, 0);
    if (found == (uintptr_t)SIG_ERR && given != wanted)
        handlers[signal] = before;
    else if (signal == SIGSEGV && given != wanted && tells_faults)
        ask_for_siginfo();
    return translate(found, before);
}

EXPORT __sighandler_t signal(int number, __sighandler_t wanted)
{
    return (__sighandler_t)set_simply(NEXT_signal, number, (uintptr_t)wanted);
}

EXPORT __sighandler_t bsd_signal(int number, __sighandler_t wanted)
{
    return (__sighandler_t)set_simply(NEXT_bsd_signal, number, (uintptr_t)wanted);
}

EXPORT __sighandler_t sysv_signal(int number, __sighandler_t wanted)
{
    return (__sighandler_t)set_simply(NEXT_sysv_signal, number, (uintptr_t)wanted);
}

EXPORT __sighandler_t __sysv_signal(int number, __sighandler_t wanted)
{
    return (__sighandler_t)set_simply(NEXT___sysv_signal, number, (uintptr_t)wanted);
}

EXPORT __sighandler_t sigset(int number, __sighandler_t wanted)
{
    return (__sighandler_t)set_simply(NEXT_sigset, number, (uintptr_t)wanted);
}

COLD void fault_start(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction before;
    region_function *function = (region_function *)next_function(NEXT_sigaction);
    if (function(SIGSEGV, 0, (long)&before, 0, 0, 0, 0) != 0 || before.sa_handler != SIG_DFL)
        return;
    tells_faults = function(SIGSEGV, (long)&action, 0, 0, 0, 0, 0) == 0;
}
