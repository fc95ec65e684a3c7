/*
 * tools/run_reports: what `gcalloc run --leaks` and `--profile` do around a program: the library writes reports to a folder
 * of our own, and when the program has ended they are shown, with names.
 */
#ifndef TOOLS_RUN_REPORTS_H
#define TOOLS_RUN_REPORTS_H

#include <stdbool.h>

struct run_reports;

struct run_reports *run_reports_make(void);

/* True when the letter of getopt_long() was one of RUN_REPORTS_OPTIONS; *is_wrong_out says that its argument was wrong. */
bool run_reports_take(struct run_reports *reports, int letter, const char *argument,
                      bool *is_wrong_out);

/* False when nobody asked for reports. */
bool run_reports_are_wanted(const struct run_reports *reports);

/* Tells the library in the program's environment. Returns 0 or -errno. */
int run_reports_prepare(struct run_reports *reports);

/*
 * The program has ended so: shows what there is on standard error and in the files asked for, and removes the folder. Why
 * the program is not on gcalloc, if it is not, is the end of "PROGRAM is ...", or NULL. Returns the wait status to end with.
 */
int run_reports_finish(struct run_reports *reports, const char *program, const char *hindrance,
                       int wait_status);

/* Removes the folder, if nothing was run after all. */
void run_reports_drop(struct run_reports *reports);

enum run_reports_letter {
    RUN_LEAKS = 0x2000,
    RUN_PROFILE,
    RUN_SUPPRESSIONS,
    RUN_TOP,
    RUN_JSON,
    RUN_HTML,
    RUN_PPROF,
    RUN_FOLDED,
    RUN_SARIF,
};

#define RUN_REPORTS_OPTIONS                                                                        \
    {"leaks", no_argument, NULL, RUN_LEAKS}, {"profile", required_argument, NULL, RUN_PROFILE},    \
        {"suppressions", required_argument, NULL, RUN_SUPPRESSIONS},                               \
        {"top", required_argument, NULL, RUN_TOP}, {"json", required_argument, NULL, RUN_JSON},    \
        {"html", required_argument, NULL, RUN_HTML}, {"pprof", required_argument, NULL, RUN_PPROF}, \
        {"folded", required_argument, NULL, RUN_FOLDED},                                           \
        {"sarif", required_argument, NULL, RUN_SARIF}

#define RUN_REPORTS_HELP                                                                           \
    "      --leaks              say after its end what the program has lost, and where it came\n"  \
    "                           from; exit status 23 instead of 0 if it has\n"                     \
    "      --profile=FILE       write what it held at its end, and what it allocated and freed\n"     \
    "                           before (the option lifetimes), for pprof, or by the file's name\n"   \
    "                           .html, .json, .folded\n"                                           \
    "      --suppressions=FILE  leaks not to speak of; may be repeated\n"                          \
    "      --top=N              so many leaks, 20 by default\n"                                    \
    "      --html=FILE          also write the leaks there; likewise --json, --pprof, --folded,\n" \
    "                           --sarif. A child's file has its process id in the name\n"

#endif
