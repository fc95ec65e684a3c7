/*
 * tools/report/suppress: leaks that the user has said not to report, in LeakSanitizer's and in Valgrind's words.
 *
 * Words that need names of functions and source files are applied here, after the process has ended; the process itself
 * only knows modules.
 */
#ifndef TOOLS_REPORT_SUPPRESS_H
#define TOOLS_REPORT_SUPPRESS_H

#include "tools/report/names.h"
#include "tools/report/report.h"

struct suppressions;

struct suppressions *suppressions_make(void);
void suppressions_free(struct suppressions *suppressions);

/* Adds those of a file. False after one line that names file, line and mistake. */
bool suppressions_add_file(struct suppressions *suppressions, const char *path);

/* The same for a file that is not the command's alone: nothing is said if something in it matches nothing. */
bool suppressions_add_shared_file(struct suppressions *suppressions, const char *path);

/* Makes the records that match suppressed ones. They are counted for suppressions_say_unused(). */
void suppressions_apply(struct suppressions *suppressions, struct report *report,
                        struct names *names);

/* What each one matched, for lists of them: false when there is no such number. */
bool suppressions_used(const struct suppressions *suppressions, size_t index, const char **text_out,
                       const char **source_out, struct report_amount *amount_out);

/* Warns of those that matched nothing. */
void suppressions_say_unused(const struct suppressions *suppressions);

#endif
