/*
 * leak/pattern: the two ways in which patterns of suppressions are meant.
 *
 * Locks: none.
 */
#include "leak/pattern.h"

#include <stddef.h>
#include <string.h>

/* The pattern up to its end matches the text, or, with `open`, a beginning of it. Goes back to the last star only. */
static bool matches(const char *pattern, const char *end, const char *text, bool open, bool has_any)
{
    const char *star = NULL;
    const char *star_text = NULL;
    for (;;) {
        if (pattern == end && (open || *text == '\0'))
            return true;
        if (pattern < end && *pattern == '*') {
            star = ++pattern;
            star_text = text;
        } else if (pattern < end && *text != '\0' && (*pattern == *text || (has_any && *pattern == '?'))) {
            pattern++;
            text++;
        } else if (star != NULL && *star_text != '\0') {
            pattern = star;
            text = ++star_text;
        } else {
            return false;
        }
    }
}

bool pattern_is_all(const char *pattern, const char *text)
{
    return matches(pattern, pattern + strlen(pattern), text, false, true);
}

bool pattern_is_in(const char *pattern, const char *text)
{
    bool from_start = *pattern == '^';
    pattern += from_start;
    const char *end = pattern + strlen(pattern);
    bool to_end = end > pattern && end[-1] == '$';
    end -= to_end;
    do
        if (matches(pattern, end, text, !to_end, false))
            return true;
    while (!from_start && *text++ != '\0');
    return false;
}
