/*
 * preload/wrap_process: calls that make processes, replace them or shut them in.
 *
 * A signal of ours that waits for a thread when it execs would meet the new program, which has no handler: during exec
 * nobody is stopped. A process that shares our memory can't be stopped at all, and in a sandbox the calls that a stop needs
 * may be deadly: there the collector ends its work.
 */
#include "gc/background.h"
#include "gc/crew.h"
#include "gc/cycle.h"
#include "gc/quarantine.h"
#include "gc/stop.h"
#include "gc/threads.h"
#include "os/tail.h"
#include "preload/export.h"
#include "preload/leaks.h"
#include "preload/next.h"
#include "preload/wrap.h"

#include <alloca.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Where vfork goes on. From now on its thread has to be told from the child that looks like it. */
__attribute__((used)) next_any *wrap_vfork_target(void);

next_any *wrap_vfork_target(void)
{
    if (thread_self != NULL)
        thread_self->shares_memory = true;
    return next_function(NEXT_vfork);
}

__asm__(".pushsection .text\n"
        ".globl vfork\n"
        ".type vfork, %function\n"
        "vfork:\n"
        ".cfi_startproc\n" OS_TAIL_JUMP("wrap_vfork_target") ".cfi_endproc\n"
                                                             ".size vfork, . - vfork\n"
                                                             ".popsection\n");

EXPORT int clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
    region_function *next = (region_function *)next_function(NEXT_clone);
    va_list rest;
    va_start(rest, argument);
    long parent_id = va_arg(rest, long);
    long thread_pointer = va_arg(rest, long);
    long child_id = va_arg(rest, long);
    va_end(rest);
    bool shares_memory = (flags & (CLONE_VM | CLONE_THREAD | CLONE_VFORK)) == CLONE_VM;
    if (region_is_on && shares_memory)
        wrap_give_up(); /* nothing says when that process ends */
    return (int)next((long)function, (long)stack, flags, (long)argument, parent_id, thread_pointer,
                     child_id);
}

/* Nobody is stopped any more: only then are regions without purpose, and handlers need not end them. */
static void end_for_good(void)
{
    cycle_disable();
    quarantine_give_up();
    region_is_on = false;
}

void wrap_give_up(void)
{
    stop_give_up();
    quarantine_abandon();
    end_for_good();
}

long wrap_seccomp(enum next_name name, long a, long b, long c, long d, long e)
{
    region_function *function = (region_function *)next_function(name);
    bool gives_up = region_is_on && threads_is_own_process();
    if (gives_up) {
        background_deny();
        crew_deny();
        background_end_helper();
        stop_give_up(); /* before: in the sandbox there may be no way to find out what is under way */
        quarantine_abandon();
    }
    long result = function(a, b, c, d, e, 0, 0);
    if (gives_up && result != -1)
        end_for_good();
    else if (gives_up)
        stop_take_up();
    return result;
}

EXPORT int prctl(int option, ...)
{
    va_list rest;
    va_start(rest, option);
    long b = va_arg(rest, long);
    long c = va_arg(rest, long);
    long d = va_arg(rest, long);
    long e = va_arg(rest, long);
    va_end(rest);
    if (option == PR_SET_SECCOMP)
        return (int)wrap_seccomp(NEXT_prctl, option, b, c, d, e);
    return (int)((region_function *)next_function(NEXT_prctl))(option, b, c, d, e, 0, 0);
}

/* The child of a vfork leaves its parent's memory alone. */
static int exec(enum next_name name, long a, long b, long c, long d, long e)
{
    region_function *function = (region_function *)next_function(name);
    bool forbids = region_is_on && threads_is_own_process();
    if (forbids) {
        leaks_before_exec();
        stop_forbid();
    }
    int result = (int)function(a, b, c, d, e, 0, 0);
    if (forbids)
        stop_allow();
    return result;
}

EXPORT int execve(const char *path, char *const *arguments, char *const *environment)
{
    return exec(NEXT_execve, (long)path, (long)arguments, (long)environment, 0, 0);
}

EXPORT int execveat(int folder, const char *path, char *const *arguments, char *const *environment,
                    int flags)
{
    return exec(NEXT_execveat, folder, (long)path, (long)arguments, (long)environment, flags);
}

EXPORT int fexecve(int file, char *const *arguments, char *const *environment)
{
    return exec(NEXT_fexecve, file, (long)arguments, (long)environment, 0, 0);
}

EXPORT int execvpe(const char *name, char *const *arguments, char *const *environment)
{
    return exec(NEXT_execvpe, (long)name, (long)arguments, (long)environment, 0, 0);
}

EXPORT int execvp(const char *name, char *const *arguments)
{
    return exec(NEXT_execvp, (long)name, (long)arguments, 0, 0, 0);
}

EXPORT int execv(const char *path, char *const *arguments)
{
    return execve(path, arguments, environ);
}

/* The arguments from the list on, NULL included, into an array with room for them, or only counted. */
static size_t collect(char **array_out, const char *first, va_list *rest)
{
    size_t count = 0;
    for (const char *next = first;; next = va_arg(*rest, const char *)) {
        if (array_out != NULL)
            array_out[count] = (char *)next;
        count++;
        if (next == NULL)
            return count;
    }
}

/*
 * Runs what a list of arguments says, behind which the environment may follow. The array is on the stack: the child of a
 * fork or vfork comes here.
 */
static int exec_list(int (*run)(const char *, char *const *, char *const *), const char *program, const char *first,
                     va_list *rest, bool environment_follows)
{
    va_list counted;
    va_copy(counted, *rest);
    char **arguments = alloca(collect(NULL, first, &counted) * sizeof *arguments);
    va_end(counted);
    collect(arguments, first, rest);
    return run(program, arguments, environment_follows ? va_arg(*rest, char *const *) : environ);
}

/* As execvp(), which takes the environment there is. */
static int run_by_name(const char *name, char *const *arguments, char *const *environment)
{
    (void)environment;
    return execvp(name, arguments);
}

EXPORT int execl(const char *path, const char *first, ...)
{
    va_list rest;
    va_start(rest, first);
    int result = exec_list(execve, path, first, &rest, false);
    va_end(rest);
    return result;
}

EXPORT int execlp(const char *name, const char *first, ...)
{
    va_list rest;
    va_start(rest, first);
    int result = exec_list(run_by_name, name, first, &rest, false);
    va_end(rest);
    return result;
}

EXPORT int execle(const char *path, const char *first, ...)
{
    va_list rest;
    va_start(rest, first);
    int result = exec_list(execve, path, first, &rest, true);
    va_end(rest);
    return result;
}
