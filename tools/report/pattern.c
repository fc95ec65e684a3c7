#include "tools/report/pattern.h"

#include <stddef.h>

/* When what follows a star fails, the star takes one character more; earlier stars never need to be tried again. */
bool pattern_matches(const char *pattern, const char *text, bool has_single)
{
    const char *after_star = NULL;
    const char *taken = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            after_star = ++pattern;
            taken = text;
        } else if (*pattern == *text || (has_single && *pattern == '?')) {
            pattern++;
            text++;
        } else if (after_star != NULL) {
            pattern = after_star;
            text = ++taken;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}
