/*
 * tools/leaks: `gcalloc leaks` and `gcalloc profile`: a report of a running process or a core file.
 */
#include "tools/arguments.h"
#include "tools/command.h"
#include "tools/report/report.h"
#include "tools/report/show.h"
#include "tools/say.h"
#include "tools/snapshot_report.h"
#include "tools/subject.h"

#include <stdio.h>
#include <stdlib.h>

#define COMMON_HELP                                                                                                     \
    "\n" SHOW_HELP "  -h, --help               print this\n"                                                           \
    "\n"                                                                                                                \
    "A process stands still for a few milliseconds; where its writes can't be followed, see gcalloc(1),\n"              \
    "while its memory is copied, for less than half a second a gigabyte. The rules of ptrace(2) say whose\n"            \
    "processes one may look into. Where blocks were allocated is known if the program runs with the option\n"           \
    "stacks or sample; classes and sizes always are.\n"                                                                 \
    "\n"

static const char leaks_help[] =
    "Usage: gcalloc leaks [OPTION]... PID|CORE\n"
    "\n"
    "Shows what a running program, or one that wrote a core file, can no longer reach: what leaks, and\n"
    "where it came from.\n" COMMON_HELP "For example:\n"
    "  gcalloc leaks 4711\n"
    "  gcalloc leaks --class=all 4711 -o leaks.html\n"
    "  gcalloc leaks core.4711\n"
    "\n"
    "Exit status: 0, also when there are leaks; 1 when the process or core file can't be looked into; 2 for\n"
    "a wrong call.\n";

static const char profile_help[] =
    "Usage: gcalloc profile [OPTION]... PID|CORE\n"
    "\n"
    "Shows all that a running program, or one that wrote a core file, has allocated, by where it came\n"
    "from: who holds the memory.\n" COMMON_HELP "For example:\n"
    "  gcalloc profile 4711\n"
    "  gcalloc profile 4711 --pprof -o heap.pb.gz\n"
    "  gcalloc profile --folded 4711 | flamegraph.pl > heap.svg\n"
    "\n"
    "Exit status: 0; 1 when the process or core file can't be looked into; 2 for a wrong call.\n";

/* The snapshot is given back before names are looked for, which may take longer. */
static int show_subject(struct show *show, const char *subject, const char *kind, bool all_blocks, const char *command,
                        char **arguments)
{
    static struct snapshot snapshot;
    char *text = NULL;
    size_t length = 0;
    int status = subject_open(subject, command, arguments, &snapshot);
    if (status != STATUS_DONE)
        return status;
    int result = snapshot_report(&snapshot, kind, all_blocks, &text, &length);
    subject_close(&snapshot);
    if (result == 0)
        status = show_json(show, text, length, subject);
    else
        say_error("%s: %s", subject, target_problem(result));
    free(text);
    return result == 0 ? status : STATUS_FAILED;
}

/* Blocks that are held have records of their own only if somebody wants to see them. */
static bool wants_held(const struct show *show)
{
    return (show->classes & (1u << CLASS_REACHABLE | 1u << CLASS_KERNEL | 1u << CLASS_SUPPRESSED)) != 0;
}

static int run(int argc, char **argv, const char *kind, const struct command *command)
{
    static const struct option options[] = {SHOW_OPTIONS, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    char **arguments = argv + 1;
    struct show show;
    int letter, status = STATUS_USAGE;
    bool is_wrong = false, is_done = false;
    show_init(&show);
    while (!is_done && (letter = arguments_next(argc, argv, "o:h", options)) != -1) {
        if (letter == 'h') {
            status = fputs(command->help, stdout) < 0 ? STATUS_FAILED : STATUS_DONE;
            is_done = true;
        } else {
            is_done = !show_take(&show, letter, optarg, &is_wrong) || is_wrong;
        }
    }
    if (!is_done && !show_is_clear(&show)) {
        status = STATUS_USAGE;
    } else if (!is_done && argc - optind != 1) {
        say_error("give one process id or core file; see gcalloc help %s", command->name);
    } else if (!is_done) {
        status = show_subject(&show, argv[optind], kind, command == &command_profile || wants_held(&show), command->name,
                              arguments);
    }
    show_free(&show);
    return status;
}

static int leaks(int argc, char **argv)
{
    return run(argc, argv, "leaks", &command_leaks);
}

static int profile(int argc, char **argv)
{
    return run(argc, argv, "snapshot", &command_profile);
}

const struct command command_leaks = {"leaks", "show what a running program leaks", leaks_help, leaks};
const struct command command_profile = {"profile", "show what a running program holds", profile_help, profile};
