/*
 * tools/report/pattern: the wildcards of suppressions.
 */
#ifndef TOOLS_REPORT_PATTERN_H
#define TOOLS_REPORT_PATTERN_H

#include <stdbool.h>

/* '*' stands for any text, '?' (if asked for) for any one character; the whole text must match. Time is bounded by the
 * product of the lengths. */
bool pattern_matches(const char *pattern, const char *text, bool has_single);

#endif
