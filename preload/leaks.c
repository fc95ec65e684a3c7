/*
 * preload/leaks: looks for leaks when the program ends, in whichever way.
 *
 * exit(): handlers run newest first, and ours is registered before any other, for no object. quick_exit() likewise.
 * _exit() and _Exit() are wrapped. Only a status of 0 is replaced, since every other one says what went wrong already.
 * libc runs no handler twice, so exit() from our handler goes on where it was: it writes out what stdio holds.
 */
#include "preload/leaks.h"

#include "base/compiler.h"
#include "base/message.h"
#include "base/options.h"
#include "gc/region.h"
#include "gc/threads.h"
#include "leak/check.h"
#include "leak/suppress.h"
#include "leak/survey.h"
#include "os/signals.h"
#include "preload/export.h"
#include "preload/lsan.h"
#include "preload/next.h"
#include "preload/wrap.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int on_exit(void (*function)(int status, void *argument), void *argument);
int __cxa_at_quick_exit(void (*function)(void *), void *object);

static atomic_bool is_done;

/* The status to end with. A second thread that ends the program meanwhile finds that it has been done. */
COLD static int check_at_end(enum check_moment moment, int status)
{
    struct check_result result;
    if (!check_is_on() || !region_is_on || !threads_is_own_process() || atomic_exchange(&is_done, true))
        return status;
    if (wrap_has_interrupted_us()) { /* first: nothing else here is safe then */
        check_refuse(moment);
        return status;
    }
    if (lsan_is_turned_off())
        return status;
    if (check_now(moment, &result) != 0 || result.definite.blocks == 0 || status != 0)
        return status;
    return (int)options_now()->exitcode;
}

COLD static void at_end(int status, void *argument)
{
    (void)argument;
    int wanted = options_now()->leaks_at_exit ? check_at_end(CHECK_EXIT, status) : status;
    if (wanted != status)
        exit(wanted);
}

/* libc does not tell the status here; _exit() is what would come next. */
COLD static void on_quick_exit(void *argument)
{
    (void)argument;
    int wanted = options_now()->leaks_at_exit ? check_at_end(CHECK_QUICK_EXIT, 0) : 0;
    if (wanted != 0)
        ((region_function *)next_function(NEXT__exit))(wanted, 0, 0, 0, 0, 0, 0);
}

EXPORT void _exit(int status)
{
    status = UNLIKELY(region_is_on) && options_now()->leaks_at_exit ? check_at_end(CHECK_UNDERSCORE_EXIT, status) : status;
    ((region_function *)next_function(NEXT__exit))(status, 0, 0, 0, 0, 0, 0);
    __builtin_unreachable();
}

EXPORT void _Exit(int status)
{
    _exit(status);
}

COLD int leaks_check_last(void)
{
    return check_at_end(CHECK_ASKED, 0);
}

COLD void leaks_before_exec(void)
{
    struct check_result result;
    if (check_is_on() && region_is_on && options_now()->leaks_at_exit && !wrap_has_interrupted_us())
        check_now(CHECK_EXEC, &result);
}

/* "a:b" names two files. */
static void read_suppressions(const char *paths)
{
    while (*paths != '\0') {
        char path[OPTION_TEXT_BYTES];
        size_t length = strcspn(paths, ":");
        memcpy(path, paths, length);
        path[length] = '\0';
        int result = length != 0 ? suppress_add_file(path) : 0;
        if (result != 0)
            message_warn("suppressions can't be read from %s, error %d", path, -result);
        paths += length + (paths[length] == ':');
    }
}

static void on_signal(int signal, void *info, void *context)
{
    (void)signal;
    (void)info;
    struct check_result result;
    uintptr_t suspended = region_is_on ? region_suspend() : 0;
    if (region_is_on && (suspended != 0 || !survey_is_ours(context)))
        check_now(CHECK_SIGNAL, &result);
    region_resume(suspended);
}

/* A program that handles the signal itself takes it from us. */
static void listen(int signal)
{
    struct os_disposition disposition = os_signal_disposition(on_signal, true);
    int result = os_signal_set(signal, &disposition);
    if (result != 0)
        message_warn("option \"report_signal\": signal %d can't be handled, error %d", signal, -result);
}

COLD void leaks_start(void)
{
    lsan_start();
    if (!options_now()->leaks)
        return; /* the program's own defaults for LeakSanitizer say no */
    read_suppressions(options_now()->suppressions);
    int result = check_start();
    if (result != 0) {
        message_warn("option \"leaks\": leaks can't be looked for here, error %d", -result);
        return;
    }
    if (options_now()->report_signal != 0)
        listen((int)options_now()->report_signal);
    on_exit(at_end, NULL);
    __cxa_at_quick_exit(on_quick_exit, NULL);
}
