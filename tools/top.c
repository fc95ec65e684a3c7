/*
 * tools/top: `gcalloc top`, its command line. What follows is in tools/top_watch.
 */
#include "tools/arguments.h"
#include "tools/command.h"
#include "tools/say.h"
#include "tools/top_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: gcalloc top [OPTION]... PID\n"
    "\n"
    "Shows the heap of a program that runs on gcalloc: what is allocated, what is kept, and every\n"
    "size class, with what has changed per second since the last look. The program is not "
    "stopped.\n"
    "\n"
    "  -i, --interval=SECONDS   time between two looks, 2 by default\n"
    "  -n, --count=NUMBER       look so many times, then end\n"
    "  -1, --once               the same as --count=1\n"
    "  -s, --sort=ORDER         order of the size classes: memory (default), blocks, change, size\n"
    "  -h, --help               print this\n"
    "\n"
    "On a terminal the page is drawn in place: q ends, s changes the order, any other key looks "
    "at\n"
    "once. Otherwise one page follows the other. The same rules as for a debugger say whose\n"
    "programs one may look into: see ptrace(2).\n"
    "\n"
    "Exit status: 0; 1 when there is no such program, it may not be read, does not run on gcalloc "
    "or\n"
    "ended before the last of --count looks; 2 for a wrong call.\n";

enum { PARSED = -1, INTERVAL_MAX_S = 1000000 };

static int usage_error(const char *problem, const char *text)
{
    say_error("%s%s; see gcalloc help top", problem, text);
    return STATUS_USAGE;
}

static bool parse_interval(const char *text, double *interval_s_out)
{
    char *end;
    double interval_s = strtod(text, &end);
    if (end == text || *end != '\0' || !(interval_s >= 0.01 && interval_s <= INTERVAL_MAX_S))
        return false;
    *interval_s_out = interval_s;
    return true;
}

static bool parse_number(const char *text, unsigned long maximum, unsigned long *number_out)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number == 0 || number > maximum)
        return false;
    *number_out = number;
    return true;
}

static bool parse_order(const char *text, enum top_order *order_out)
{
    for (int order = 0; order < TOP_ORDERS; order++)
        if (strcmp(text, top_order_names[order]) == 0) {
            *order_out = (enum top_order)order;
            return true;
        }
    return false;
}

static int parse_process(int argc, char **argv, struct top_request *request)
{
    unsigned long process_id;
    if (optind == argc)
        return usage_error("no process id given", "");
    if (optind + 1 < argc)
        return usage_error("more than one process id: ", argv[optind + 1]);
    if (!parse_number(argv[optind], INT_MAX, &process_id))
        return usage_error("not a process id: ", argv[optind]);
    request->process_id = (pid_t)process_id;
    return PARSED;
}

static int parse(int argc, char **argv, struct top_request *request)
{
    static const struct option options[] = {
        {"interval", required_argument, NULL, 'i'}, {"count", required_argument, NULL, 'n'},
        {"once", no_argument, NULL, '1'},           {"sort", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    int letter;
    while ((letter = arguments_next(argc, argv, "i:n:1s:h", options)) != -1) {
        if (letter == 'h')
            return fputs(help, stdout) < 0 ? STATUS_FAILED : STATUS_DONE;
        if (letter == '1')
            request->count = 1;
        else if (letter == 'i' && !parse_interval(optarg, &request->interval_s))
            return usage_error("not a number of seconds from 0.01 up: ", optarg);
        else if (letter == 'n' && !parse_number(optarg, ULONG_MAX, &request->count))
            return usage_error("not a number from 1 up: ", optarg);
        else if (letter == 's' && !parse_order(optarg, &request->order))
            return usage_error("not an order of size classes: ", optarg);
        else if (letter == '?')
            return STATUS_USAGE;
    }
    return parse_process(argc, argv, request);
}

static int top(int argc, char **argv)
{
    struct top_request request = {.interval_s = 2};
    int status = parse(argc, argv, &request);
    return status == PARSED ? top_watch(&request, argv + 1) : status;
}

const struct command command_top = {"top", "show the heap of a running program", help, top};
