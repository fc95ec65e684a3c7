/*
 * tools/report/command: `gcalloc report` shows a report file.
 */
#include "tools/command.h"
#include "tools/report/report.h"
#include "tools/report/show.h"
#include "tools/say.h"

#include <stdio.h>

static const char help[] =
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

static int report(int argc, char **argv)
{
    static const struct option options[] = {
        SHOW_OPTIONS, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct show show;
    int letter;
    int status = STATUS_USAGE;
    show_init(&show);
    while ((letter = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
        bool is_wrong;
        if (letter == 'h') {
            fputs(help, stdout);
            status = STATUS_DONE;
            goto done;
        }
        if (!show_take(&show, letter, optarg, &is_wrong) || is_wrong)
            goto done;
    }
    if (argc - optind != 1) {
        say_error("give one report; see gcalloc help report");
        goto done;
    }
    struct report *file = report_read(argv[optind]);
    status = file != NULL ? show_report(&show, file) : STATUS_FAILED;
    report_free(file);
done:
    show_free(&show);
    return status;
}

const struct command command_report = {"report", "show a report of leaks, or of a heap", help,
                                       report};
