/*
 * bench/launch: run one program under one allocator and write down what it cost.
 *
 *     launch REPORT PRELOAD PROGRAM ARGUMENTS...
 *
 * Appends "wall_us user_us sys_us rss_kib faults status" to REPORT; status is the exit status, or 128 + signal.
 *
 * Why a program of its own: a child's ru_maxrss starts from what it held between fork and exec, which is its parent's
 * memory. Started from the driver, every small program would be as large as Python. This one is linked statically and
 * holds less than any program it starts. The preload list is set in the child only, so that this process and the
 * moment before exec are the same for all allocators.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_LAUNCH_FAILED = 125, STATUS_EXEC_FAILED = 127, STATUS_SIGNAL_BASE = 128 };

static long long clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static long long timeval_us(struct timeval value)
{
    return (long long)value.tv_sec * 1000000 + value.tv_usec;
}

static _Noreturn void child_exec(const char *preload, char **command)
{
    if (*preload != '\0' && setenv("LD_PRELOAD", preload, 1) != 0)
        _exit(STATUS_EXEC_FAILED);
    execvp(command[0], command);
    dprintf(STDERR_FILENO, "launch: %s: %s\n", command[0], strerror(errno));
    _exit(STATUS_EXEC_FAILED);
}

static int exit_status(int status)
{
    return WIFSIGNALED(status) ? STATUS_SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
}

static int report(const char *path, long long wall_us, const struct rusage *usage, int status)
{
    FILE *file = fopen(path, "a");

    if (file == NULL)
        return -errno;
    fprintf(file, "%lld %lld %lld %ld %ld %d\n", wall_us, timeval_us(usage->ru_utime),
            timeval_us(usage->ru_stime), usage->ru_maxrss, usage->ru_minflt, exit_status(status));
    return fclose(file) == 0 ? 0 : -errno;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    long long start_us;
    int status;
    pid_t pid;

    if (argc < 4) {
        fputs("usage: launch REPORT PRELOAD PROGRAM ARGUMENTS...\n", stderr);
        return STATUS_LAUNCH_FAILED;
    }
    start_us = clock_us();
    pid = fork();
    if (pid == 0)
        child_exec(argv[2], argv + 3);
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        perror("launch");
        return STATUS_LAUNCH_FAILED;
    }
    if (report(argv[1], clock_us() - start_us, &usage, status) != 0) {
        perror(argv[1]);
        return STATUS_LAUNCH_FAILED;
    }
    return 0;
}
