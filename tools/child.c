/*
 * tools/child: a program run under us as if we were not there.
 *
 * The program stays in our process group, so the terminal's signals reach it without us: those are
 * only kept from ending us. What another process sends to us alone is handed on. All these signals
 * are blocked and fetched one by one, so there is no handler and no race with the program's end.
 */
#include "tools/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the program must find as we found it. */
struct inherited {
    sigset_t mask;
    struct sigaction on_child;
};

static void fill_watched(sigset_t *watched_out)
{
    /* Not ours to hand on: faults, which we cause ourselves; SIGPIPE, too; the two that cannot be
     * caught. */
    static const int left_alone[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                                     SIGTRAP, SIGABRT, SIGSYS, SIGPIPE};
    sigfillset(watched_out);
    for (size_t i = 0; i < sizeof left_alone / sizeof left_alone[0]; i++)
        sigdelset(watched_out, left_alone[i]);
}

/* Whoever started us may ignore SIGCHLD: then there would be no status to wait for. */
static void take_signals(const sigset_t *watched, struct inherited *inherited_out)
{
    struct sigaction initial = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &initial, &inherited_out->on_child);
    sigprocmask(SIG_BLOCK, watched, &inherited_out->mask);
}

static void give_signals_back(const struct inherited *inherited)
{
    sigaction(SIGCHLD, &inherited->on_child, NULL);
    sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
}

static _Noreturn void become_program(char **arguments, const struct inherited *inherited,
                                     int failure_pipe)
{
    give_signals_back(inherited);
    execvp(arguments[0], arguments);
    int error = errno;
    while (write(failure_pipe, &error, sizeof error) < 0 && errno == EINTR)
        ;
    _exit(127);
}

/* 0 once the program runs: the pipe closes with exec. */
static int read_failure(int failure_pipe)
{
    int error = 0;
    ssize_t got;
    do
        got = read(failure_pipe, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof error ? error : 0;
}

static int start(char **arguments, const struct inherited *inherited, pid_t *child_out)
{
    int failure_pipe[2];
    if (pipe2(failure_pipe, O_CLOEXEC) != 0)
        return -errno;
    pid_t child = fork();
    if (child == 0)
        become_program(arguments, inherited, failure_pipe[1]);
    int result = child < 0 ? -errno : 0;
    close(failure_pipe[1]);
    if (child > 0) {
        *child_out = child;
        result = read_failure(failure_pipe[0]);
    }
    close(failure_pipe[0]);
    return result;
}

/*
 * What the kernel sends (from the terminal, mostly) reached the program as well or concerns only
 * us. But an alarm set before us was meant for the program: it outlives exec, not fork.
 */
static void hand_on(pid_t child, const siginfo_t *signal)
{
    if (signal->si_code == SI_QUEUE)
        sigqueue(child, signal->si_signo, signal->si_value);
    else if ((signal->si_code <= 0 && signal->si_pid != child) || signal->si_signo == SIGALRM)
        kill(child, signal->si_signo);
}

/* Forgets the signal that continued us. */
static void drop_continue(void)
{
    static const struct timespec at_once;
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGCONT);
    sigtimedwait(&only, NULL, &at_once);
}

static bool was_continued(pid_t child)
{
    siginfo_t change = {.si_pid = 0};
    return waitid(P_PID, (id_t)child, &change, WCONTINUED | WNOHANG) == 0 && change.si_pid == child;
}

/*
 * The shell that waits for us must see that the job has stopped; whoever continues us then means the program, if it was
 * not continued with us. A SIGSTOP comes from someone who knows the program itself and will continue it there.
 */
static void stop_alike(pid_t child, int stopped_by)
{
    if (stopped_by == SIGSTOP)
        return;
    kill(getpid(), SIGSTOP);
    drop_continue();
    if (!was_continued(child))
        kill(child, SIGCONT);
}

/* True when the program has ended. */
static bool collect(pid_t child, int *wait_status_out)
{
    int status;
    while (waitpid(child, &status, WNOHANG | WUNTRACED) == child) {
        if (!WIFSTOPPED(status)) {
            *wait_status_out = status;
            return true;
        }
        stop_alike(child, WSTOPSIG(status));
    }
    return false;
}

static void follow(pid_t child, const sigset_t *watched, int *wait_status_out)
{
    for (;;) {
        siginfo_t signal;
        if (sigwaitinfo(watched, &signal) < 0)
            continue;
        if (signal.si_signo != SIGCHLD)
            hand_on(child, &signal);
        else if (collect(child, wait_status_out))
            return;
    }
}

int child_run(char **arguments, int *wait_status_out)
{
    sigset_t watched;
    struct inherited inherited;
    fill_watched(&watched);
    take_signals(&watched, &inherited);
    pid_t child = -1;
    int result = start(arguments, &inherited, &child);
    if (result == 0) {
        /* The signals stay blocked: a late one must not end us in place of what the program's end
         * says. */
        follow(child, &watched, wait_status_out);
        return 0;
    }
    if (result > 0)
        waitpid(child, NULL, 0);
    give_signals_back(&inherited);
    return result;
}

void child_end_alike(int wait_status)
{
    if (WIFEXITED(wait_status))
        exit(WEXITSTATUS(wait_status));
    int number = WTERMSIG(wait_status);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    /* Also where cores go through a pipe, which a limit of zero does not stop. */
    prctl(PR_SET_DUMPABLE, 0);
    signal(number, SIG_DFL);
    kill(getpid(), number);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    /* Reached only as the first process of a pid namespace: such signals do not end it. */
    exit(128 + number);
}
