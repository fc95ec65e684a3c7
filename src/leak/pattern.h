/* leak/pattern: the two ways in which patterns of suppressions are meant. */
#ifndef LEAK_PATTERN_H
#define LEAK_PATTERN_H

#include <stdbool.h>

/* As a shell's: * is any text, ? any byte; all of the text must match. */
bool pattern_is_all(const char *pattern, const char *text);

/* As LeakSanitizer's: found anywhere in the text; * is any text, ^ at the beginning and $ at the end tie it to those of the text. */
bool pattern_is_in(const char *pattern, const char *text);

#endif
