/*
 * tools/report/show: what the user asked a report to look like, the options for it, and the showing. All commands that
 * end in a report share this.
 */
#ifndef TOOLS_REPORT_SHOW_H
#define TOOLS_REPORT_SHOW_H

#include "tools/report/format.h"

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct report;
struct suppressions;

struct show {
    enum render_format format;
    bool has_format;
    const char *output; /* NULL: standard output */
    size_t top;
    unsigned classes;
    bool is_full;
    bool by_blocks;
    struct suppressions *suppressions;
    const char *root; /* before the paths of modules: "" */
    FILE *stream;     /* where to without an output: standard output */
};

/* Letters beyond those of any command's own. */
enum show_letter {
    SHOW_TEXT = 0x1000,
    SHOW_JSON,
    SHOW_HTML,
    SHOW_PPROF,
    SHOW_FOLDED,
    SHOW_SARIF,
    SHOW_GEN_SUPPRESSIONS,
    SHOW_SUPPRESSIONS,
    SHOW_TOP,
    SHOW_CLASS,
    SHOW_FULL,
    SHOW_BLOCKS,
};

/* For the table of getopt_long(), after <getopt.h>; the letter string needs "o:" beside them. */
#define SHOW_OPTIONS                                                                               \
    {"text", no_argument, NULL, SHOW_TEXT}, {"json", no_argument, NULL, SHOW_JSON},                \
        {"html", no_argument, NULL, SHOW_HTML}, {"pprof", no_argument, NULL, SHOW_PPROF},          \
        {"folded", no_argument, NULL, SHOW_FOLDED}, {"sarif", no_argument, NULL, SHOW_SARIF},      \
        {"gen-suppressions", no_argument, NULL, SHOW_GEN_SUPPRESSIONS},                            \
        {"suppressions", required_argument, NULL, SHOW_SUPPRESSIONS},                              \
        {"top", required_argument, NULL, SHOW_TOP}, {"class", required_argument, NULL, SHOW_CLASS}, \
        {"full", no_argument, NULL, SHOW_FULL}, {"blocks", no_argument, NULL, SHOW_BLOCKS},        \
        {"output", required_argument, NULL, 'o'}

/* For the text of a command's help. */
#define SHOW_HELP                                                                                  \
    "      --text               for people: the default\n"                                         \
    "      --json               for programs: the report with names, see gcalloc-report(5)\n"      \
    "      --html               for browsers: one page that needs nothing else\n"                  \
    "      --pprof              for pprof: profile.proto, compressed\n"                            \
    "      --folded             for flamegraph.pl: a stack a line, in bytes\n"                     \
    "      --sarif              for code scanning: SARIF 2.1.0\n"                                  \
    "      --gen-suppressions   suppressions for what is shown\n"                                  \
    "  -o, --output=FILE        write there, in place of what is there; its ending says which form:\n" \
    "                           .txt .json .html .pb.gz .folded .sarif .supp\n"               \
    "      --suppressions=FILE  leave out what the file names; may be repeated\n"                  \
    "      --class=CLASS,...    these only: definite, indirect, possible, kernel, reachable,\n"    \
    "                           suppressed, reclaimed, all\n"                                      \
    "      --top=N              so many sites in text, 20 by default\n"                            \
    "      --blocks             folded stacks count blocks, not bytes\n"                           \
    "      --full               with the frames of libc and of the allocator\n"

void show_init(struct show *show);

/* True when the letter was one of ours and was taken; *is_wrong_out says that its argument was wrong (and has been said). */
bool show_take(struct show *show, int letter, const char *argument, bool *is_wrong_out);

/* The form that a file's name says, or the other one. */
enum render_format show_format_of(const char *path, enum render_format otherwise);

/* Whether it is clear what form the output is to have; says why not. */
bool show_is_clear(const struct show *show);

/* Applies suppressions: classes and totals are then as they will be shown. Doing it again changes nothing. */
void show_apply(struct show *show, struct report *report);

/* Applies suppressions, then writes the report. Returns the command's exit status. */
int show_report(struct show *show, struct report *report);

/* The same, but says nothing of suppressions that match nothing: there may be more reports. */
int show_one_of_many(struct show *show, struct report *report);

/* The same for a report in memory, as its writer made it; the name is for messages. */
int show_json(struct show *show, const char *json, size_t length, const char *name);

/* What changed from one report to the other; suppressions are applied to both. Returns an exit status. */
int show_changes(struct show *show, struct report *before, struct report *after);

/* The output that was asked for; NULL after an error message. show_close_output() returns an exit status. */
FILE *show_open_output(const struct show *show);
int show_close_output(const struct show *show, FILE *stream);

/* Whether to colour what goes there: a terminal, and NO_COLOR is not set. */
bool show_is_colored(FILE *stream);

void show_free(struct show *show);

#endif
