/*
 * tools/subject: what a command looks into.
 */
#include "tools/subject.h"

#include "tools/elsewhere.h"
#include "tools/examine.h"
#include "tools/say.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

pid_t subject_process(const char *text)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    bool is_number = *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
    return is_number && number > 0 && number <= INT_MAX ? (pid_t)number : 0;
}

/* A core that somebody cuts short while we look into it. */
static void on_bus_error(int number)
{
    static const char line[] = "gcalloc: error: the core file became shorter meanwhile\n";
    (void)number;
    if (write(STDERR_FILENO, line, sizeof line - 1) < 0)
        _exit(STATUS_FAILED);
    _exit(STATUS_FAILED);
}

static int fail(const char *text, int error)
{
    pid_t process_id = subject_process(text);
    if (process_id != 0)
        say_error("process %d: %s", (int)process_id, target_problem(error));
    else
        say_error("%s: %s", text, target_problem(error));
    return STATUS_FAILED;
}

int subject_open(const char *text, const char *command, char **arguments, struct snapshot *snapshot_out)
{
    pid_t process_id = subject_process(text);
    if (process_id == 0)
        signal(SIGBUS, on_bus_error);
    if (process_id == getpid()) {
        say_error("process %d is this command itself", (int)process_id);
        return STATUS_FAILED;
    }
    int result = process_id != 0 ? snapshot_take_live(process_id, snapshot_out) : snapshot_take_core(text, snapshot_out);
    if (result == -EEXIST)
        elsewhere_start(command, arguments);
    if (result == 0) {
        result = examine_begin(snapshot_out);
        if (result != 0)
            snapshot_free(snapshot_out);
    }
    return result == 0 ? STATUS_DONE : fail(text, result);
}

void subject_close(struct snapshot *snapshot)
{
    examine_end();
    snapshot_free(snapshot);
}
