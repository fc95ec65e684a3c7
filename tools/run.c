/*
 * tools/run: `gcalloc run` starts a program on the gcalloc heap.
 *
 * Without --stats and --leaks it becomes the program, so nothing at all is different from setting the two variables by
 * hand. With them it waits, because what is printed at exit should follow the program's output, not mix with it.
 */
#include "tools/arguments.h"
#include "tools/child.h"
#include "tools/command.h"
#include "tools/library.h"
#include "tools/preload_env.h"
#include "tools/program.h"
#include "tools/report_file.h"
#include "tools/run_reports.h"
#include "tools/say.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "Usage: gcalloc run [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
    "\n"
    "Runs the program on the gcalloc heap. Its exit status or signal becomes that of the command.\n"
    "\n"
    "  -g, --gc                 free what the program can no longer reach\n"
    "  -q, --quarantine         do not reuse what was freed while anything still points to it\n"
    RUN_REPORTS_HELP
    "  -s, --stats              print what the heap did after the program has ended\n"
    "  -v, --verbose            say what is set up; repeated: the library says more, too\n"
    "  -o, --options=KEY=VALUE,...\n"
    "                           options of the library; `gcalloc options` lists them\n"
    "  -l, --library=PATH       use this libgcalloc.so\n"
    "  -h, --help               print this\n"
    "\n"
    "For example:  gcalloc run --leaks --html=leaks.html -- ./server --once\n"
    "\n"
    "Exit status: the program's; 125 when the command itself fails, 126 when the program can't be\n"
    "started, 127 when it is not found.\n";

struct request {
    bool stats;
    bool gc;
    bool quarantine;
    unsigned verbosity;
    const char *library;
    char **program;
    struct run_reports *reports;
};

enum { PARSED = -1, VERBOSITY_MAX = 3 };

static int fail_for(int error)
{
    say_error("%s", strerror(error < 0 ? -error : error));
    return STATUS_RUN_FAILED;
}

static int usage_error(const char *problem)
{
    say_error("%s; see gcalloc help run", problem);
    return STATUS_RUN_FAILED;
}

/* PARSED, or the status to end with. */
static int parse(int argc, char **argv, struct request *request)
{
    static const struct option options[] = {
        RUN_REPORTS_OPTIONS,
        {"gc", no_argument, NULL, 'g'},
        {"quarantine", no_argument, NULL, 'q'},
        {"stats", no_argument, NULL, 's'},         {"verbose", no_argument, NULL, 'v'},
        {"options", required_argument, NULL, 'o'}, {"library", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    int letter;
    bool is_wrong;
    while ((letter = arguments_next(argc, argv, "+gqsvo:l:h", options)) != -1) {
        if (run_reports_take(request->reports, letter, optarg, &is_wrong)) {
            if (is_wrong)
                return STATUS_RUN_FAILED;
        } else if (letter == 's')
            request->stats = true;
        else if (letter == 'g')
            request->gc = true;
        else if (letter == 'q')
            request->quarantine = true;
        else if (letter == 'v')
            request->verbosity++;
        else if (letter == 'l')
            request->library = optarg;
        else if (letter == 'h')
            return fputs(help, stdout) < 0 ? STATUS_RUN_FAILED : STATUS_DONE;
        else if (letter != 'o')
            return STATUS_RUN_FAILED;
        else if (optarg[0] == '-')
            return usage_error("-o is followed by options of the library, as stacks=16");
        else if (preload_env_add_options(optarg) != 0)
            return fail_for(ENOMEM);
    }
    if (optind == argc)
        return usage_error("no program given");
    request->program = argv + optind;
    return PARSED;
}

static int add_library(const char *given)
{
    char *library = library_find(given);
    if (library == NULL)
        return STATUS_RUN_FAILED;
    int result = preload_env_add_library(library);
    if (result == -EINVAL)
        say_error("LD_PRELOAD can't carry a path with a space or colon: %s", library);
    else if (result != 0)
        fail_for(result);
    free(library);
    return result == 0 ? PARSED : STATUS_RUN_FAILED;
}

static int add_verbosity(unsigned verbosity)
{
    char option[32];
    snprintf(option, sizeof option, "verbose=%u",
             verbosity < VERBOSITY_MAX ? verbosity : VERBOSITY_MAX);
    return preload_env_add_options(option);
}

static void say_what_is_set(const struct request *request)
{
    const char *options = getenv("GCALLOC_OPTIONS");
    say("LD_PRELOAD=%s", getenv("LD_PRELOAD"));
    say("GCALLOC_OPTIONS=%s", options != NULL ? options : "");
    say("starting %s", request->program[0]);
}

static int fail_to_start(const char *program, int error)
{
    say_error("%s: %s", program, strerror(error));
    return error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

static int become_program(const struct request *request)
{
    if (request->verbosity > 0)
        say_what_is_set(request);
    execvp(request->program[0], request->program);
    return fail_to_start(request->program[0], errno);
}

/* A missing report is never passed over: the reader should know whether the program ran on gcalloc
 * at all. */
static void say_why_silent(const char *program, const char *hindrance, int wait_status)
{
    if (hindrance != NULL)
        say("no report: %s is %s", program, hindrance);
    else if (WIFSIGNALED(wait_status))
        say("no report: %s was killed by signal %d (%s)", program, WTERMSIG(wait_status),
            strsignal(WTERMSIG(wait_status)));
    else
        say("no report: %s ended without its exit handlers (as by _exit) or never loaded the "
            "library",
            program);
}

/* The library appends to a file given by the user; then there is nothing for us to print. */
static int send_report_to(const struct report_file *file)
{
    char option[REPORT_PATH_BYTES + sizeof "log_file="];
    snprintf(option, sizeof option, "log_file=%s", file->path);
    return preload_env_add_options(option);
}

/* The file is NULL when there is none of ours. */
static _Noreturn void end_with_reports(const struct request *request,
                                       const struct report_file *file, const char *hindrance,
                                       int wait_status)
{
    if (file != NULL && !report_file_print(file))
        say_why_silent(request->program[0], hindrance, wait_status);
    if (file != NULL)
        report_file_remove(file);
    if (run_reports_are_wanted(request->reports))
        wait_status =
            run_reports_finish(request->reports, request->program[0], hindrance, wait_status);
    fflush(stderr);
    child_end_alike(wait_status);
}

static int prepare(const struct request *request, const struct report_file *file)
{
    int result = file != NULL ? send_report_to(file) : 0;
    if (result == 0 && run_reports_are_wanted(request->reports))
        result = run_reports_prepare(request->reports);
    if (request->verbosity > 0)
        say_what_is_set(request);
    return result;
}

static int run_and_report(const struct request *request, const char *hindrance)
{
    bool has_file = request->stats && !preload_env_has_value("log_file");
    struct report_file file;
    int result = has_file ? report_file_make(&file) : 0;
    if (result != 0) {
        say_error("no temporary file for the report: %s", strerror(-result));
        return STATUS_RUN_FAILED;
    }
    int wait_status = 0;
    result = prepare(request, has_file ? &file : NULL);
    if (result == 0)
        result = child_run(request->program, &wait_status);
    if (result == 0)
        end_with_reports(request, has_file ? &file : NULL, hindrance, wait_status);
    if (has_file)
        report_file_remove(&file);
    if (run_reports_are_wanted(request->reports))
        run_reports_drop(request->reports);
    return result < 0 ? fail_for(result) : fail_to_start(request->program[0], result);
}

static int run(int argc, char **argv)
{
    struct request request = {.reports = run_reports_make()};
    int status = parse(argc, argv, &request);
    if (status == PARSED)
        status = add_library(request.library);
    if (status != PARSED)
        return status;
    if ((request.verbosity > 0 && add_verbosity(request.verbosity) != 0) ||
        (request.gc && preload_env_add_options("gc") != 0) ||
        (request.quarantine && preload_env_add_options("quarantine") != 0) ||
        (request.stats && preload_env_add_options("stats") != 0))
        return fail_for(ENOMEM);
    const char *hindrance = program_hindrance(request.program[0]);
    if (hindrance != NULL)
        say_warning("%s is %s; gcalloc will not be in it", request.program[0], hindrance);
    bool stays = request.stats || run_reports_are_wanted(request.reports);
    return stays ? run_and_report(&request, hindrance) : become_program(&request);
}

const struct command command_run = {"run", "run a program on the gcalloc heap", help, run};
