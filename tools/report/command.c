/*
 * tools/report/command: `gcalloc report` and `gcalloc diff` show report files.
 */
#include "tools/arguments.h"
#include "tools/command.h"
#include "tools/report/report.h"
#include "tools/report/show.h"
#include "tools/say.h"

#include <stdio.h>

static const char report_help[] =
    "Usage: gcalloc report [OPTION]... FILE\n"
    "\n"
    "Shows a report that a program on gcalloc wrote, or that another command did with --json.\n"
    "\n" SHOW_HELP "  -h, --help               print this\n"
    "\n"
    "Names come from the files of the program and its libraries, and from /usr/lib/debug. A report\n"
    "made with --json carries its names with it.\n"
    "\n"
    "For example:\n"
    "  gcalloc report leaks.json\n"
    "  gcalloc report leaks.json -o leaks.html\n"
    "  gcalloc report --class=reachable --folded leaks.json | flamegraph.pl > held.svg\n";

static const char diff_help[] =
    "Usage: gcalloc diff [OPTION]... BEFORE AFTER\n"
    "\n"
    "Shows what changed from one report to a later one: sites that are new, gone, grown, shrunk.\n"
    "\n" SHOW_HELP "  -h, --help               print this\n"
    "\n"
    "Two reports of one process give rates, too. Reports of two runs, or of two versions whose\n"
    "sites are the same, can be compared as well.\n"
    "\n"
    "For example:\n"
    "  gcalloc diff monday.json tuesday.json\n"
    "  gcalloc diff monday.json tuesday.json -o grown.html\n";

/* Gives the names of so many files, or ends with a status. */
enum { PARSED = -1 };

static int parse(int argc, char **argv, struct show *show, int file_count, const char *help)
{
    static const struct option options[] = {
        SHOW_OPTIONS, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int letter;
    while ((letter = arguments_next(argc, argv, "o:h", options)) != -1) {
        bool is_wrong;
        if (letter == 'h') {
            fputs(help, stdout);
            return STATUS_DONE;
        }
        if (!show_take(show, letter, optarg, &is_wrong) || is_wrong)
            return STATUS_USAGE;
    }
    if (!show_is_clear(show))
        return STATUS_USAGE;
    if (argc - optind == file_count)
        return PARSED;
    say_error("give %s; see gcalloc --help", file_count == 1 ? "one report" : "two reports");
    return STATUS_USAGE;
}

static int report(int argc, char **argv)
{
    struct show show;
    show_init(&show);
    int status = parse(argc, argv, &show, 1, report_help);
    if (status == PARSED) {
        struct report *file = report_read(argv[optind]);
        status = file != NULL ? show_report(&show, file) : STATUS_FAILED;
        report_free(file);
    }
    show_free(&show);
    return status;
}

static int diff(int argc, char **argv)
{
    struct show show;
    show_init(&show);
    int status = parse(argc, argv, &show, 2, diff_help);
    if (status == PARSED) {
        struct report *before = report_read(argv[optind]);
        struct report *after = before != NULL ? report_read(argv[optind + 1]) : NULL;
        status = after != NULL ? show_changes(&show, before, after) : STATUS_FAILED;
        report_free(before);
        report_free(after);
    }
    show_free(&show);
    return status;
}

const struct command command_report = {"report", "show a report of leaks, or of a heap",
                                       report_help, report};
const struct command command_diff = {"diff", "show what changed from one report to another",
                                     diff_help, diff};
