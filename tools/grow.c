/*
 * tools/grow: `gcalloc grow`, its command line. The looks are in tools/grow_watch.
 */
#include "tools/arguments.h"
#include "tools/command.h"
#include "tools/grow_watch.h"
#include "tools/say.h"
#include "tools/subject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: gcalloc grow [OPTION]... PID\n"
    "\n"
    "Looks at a running program again and again, and shows what grows: the places in it whose blocks\n"
    "have become more since the look before, those first that grew most often.\n"
    "\n"
    "  -e, --every=TIME     time between two looks, as 500ms, 60s, 5m, 1h; 60s by default\n"
    "  -n, --count=NUMBER   show so many times, then end\n"
    "  -t, --top=NUMBER     so many places each time, 10 by default\n"
    "  -h, --help           print this\n"
    "\n"
    "At each look the process stands still for a few milliseconds, and for less than half a second a\n"
    "gigabyte where its writes can't be followed, see gcalloc(1). Places are known if it runs with the option stacks or sample.\n"
    "\n"
    "For example:\n"
    "  gcalloc grow --every 5m 4711\n"
    "\n"
    "Exit status: 0; 1 when the process can't be looked into, or ends before the last of --count looks; 2\n"
    "for a wrong call.\n";

enum { PARSED = -1 };

static bool parse_every(const char *text, double *every_s_out)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"min", 60}, {"h", 3600}};
    char *end;
    double number = strtod(text, &end);
    if (end == text || *text < '0' || *text > '9')
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(end, units[i].unit) == 0) {
            *every_s_out = number * units[i].seconds;
            return *every_s_out >= 0.01 && *every_s_out <= 1e6;
        }
    return false;
}

static bool parse_number(const char *text, unsigned long *number_out)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number == 0)
        return false;
    *number_out = number;
    return true;
}

static int wrong(const char *problem, const char *text)
{
    say_error("%s%s; see gcalloc help grow", problem, text);
    return STATUS_USAGE;
}

static int parse(int argc, char **argv, struct grow_request *request)
{
    static const struct option options[] = {
        {"every", required_argument, NULL, 'e'}, {"count", required_argument, NULL, 'n'},
        {"top", required_argument, NULL, 't'},   {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int letter;
    while ((letter = arguments_next(argc, argv, "e:n:t:h", options)) != -1) {
        if (letter == 'h')
            return fputs(help, stdout) < 0 ? STATUS_FAILED : STATUS_DONE;
        if (letter == 'e' && !parse_every(optarg, &request->every_s))
            return wrong("not a time from 10ms up: ", optarg);
        if (letter == 'n' && !parse_number(optarg, &request->count))
            return wrong("not a number from 1 up: ", optarg);
        if (letter == 't' && !parse_number(optarg, &request->top))
            return wrong("not a number from 1 up: ", optarg);
        if (letter == '?')
            return STATUS_USAGE;
    }
    if (argc - optind != 1)
        return wrong("give one process id", "");
    request->process_id = subject_process(argv[optind]);
    return request->process_id != 0 ? PARSED : wrong("not a process id: ", argv[optind]);
}

static int grow(int argc, char **argv)
{
    struct grow_request request = {.every_s = 60, .top = 10, .arguments = argv + 1};
    int status = parse(argc, argv, &request);
    return status == PARSED ? grow_watch(&request) : status;
}

const struct command command_grow = {"grow", "show what grows in a running program", help, grow};
