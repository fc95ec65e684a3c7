/*
 * tools/snapshot_file: `gcalloc snapshot`: all that a process has allocated, in a report file for later.
 */
#include "tools/arguments.h"
#include "tools/command.h"
#include "tools/say.h"
#include "tools/snapshot_report.h"
#include "tools/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: gcalloc snapshot PID|CORE -o FILE\n"
    "\n"
    "Writes all that a running program, or one that wrote a core file, has allocated to a report file:\n"
    "every block counted by class and by where it came from, and none of its contents. gcalloc report\n"
    "shows it, gcalloc diff compares two.\n"
    "\n"
    "  -o, --output=FILE   a file that is not there yet; - is standard output\n"
    "  -h, --help          print this\n"
    "\n"
    "A process stands still for a few milliseconds; where its writes can't be followed, see gcalloc(1),\n"
    "while its memory is copied, for less than half a second a gigabyte.\n"
    "\n"
    "For example:\n"
    "  gcalloc snapshot 4711 -o before.json\n"
    "  gcalloc snapshot 4711 -o after.json\n"
    "  gcalloc diff before.json after.json\n"
    "\n"
    "Exit status: 0; 1 when the process or core file can't be looked into, or the file not be written; 2\n"
    "for a wrong call.\n";

/* Neither an old file nor one that somebody else has put there, maybe as a link, is written to. */
static int open_output(const char *path)
{
    if (strcmp(path, "-") == 0)
        return STDOUT_FILENO;
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0)
        say_error("%s: %m", path);
    return descriptor;
}

static int write_all(int descriptor, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t count = write(descriptor, text, length);
        if (count < 0 && errno != EINTR)
            return -errno;
        text += count > 0 ? count : 0;
        length -= count > 0 ? (size_t)count : 0;
    }
    return 0;
}

static int write_file(const char *path, const char *text, size_t length)
{
    int descriptor = open_output(path);
    if (descriptor < 0)
        return STATUS_FAILED;
    int result = write_all(descriptor, text, length);
    if (descriptor != STDOUT_FILENO && close(descriptor) != 0 && result == 0)
        result = -errno;
    if (result == 0)
        return STATUS_DONE;
    say_error("%s: %s", path, strerror(-result));
    if (descriptor != STDOUT_FILENO)
        unlink(path);
    return STATUS_FAILED;
}

static int take(const char *subject, const char *path, char **arguments)
{
    static struct snapshot snapshot;
    char *text = NULL;
    size_t length = 0;
    int status = subject_open(subject, "snapshot", arguments, &snapshot);
    if (status != STATUS_DONE)
        return status;
    int result = snapshot_report(&snapshot, "snapshot", true, &text, &length);
    subject_close(&snapshot);
    if (result == 0)
        status = write_file(path, text, length);
    else
        say_error("%s: %s", subject, target_problem(result));
    free(text);
    return result == 0 ? status : STATUS_FAILED;
}

static int snapshot(int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    char **arguments = argv + 1;
    const char *path = NULL;
    int letter;
    while ((letter = arguments_next(argc, argv, "o:h", options)) != -1) {
        if (letter == 'h')
            return fputs(help, stdout) < 0 ? STATUS_FAILED : STATUS_DONE;
        if (letter != 'o')
            return STATUS_USAGE;
        path = optarg;
    }
    if (argc - optind != 1 || path == NULL) {
        say_error("%s; see gcalloc help snapshot",
                  argc - optind != 1 ? "give one process id or core file" : "name a file with -o");
        return STATUS_USAGE;
    }
    return take(argv[optind], path, arguments);
}

const struct command command_snapshot = {"snapshot", "write what a running program holds to a file", help, snapshot};
