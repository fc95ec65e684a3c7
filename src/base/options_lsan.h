/* base/options_lsan: LSAN_OPTIONS, for programs and scripts that were made for LeakSanitizer. */
#ifndef BASE_OPTIONS_LSAN_H
#define BASE_OPTIONS_LSAN_H

#include "base/options.h"

/*
 * Reads "key=value:key=value", separated by colons, commas or white space. What has no meaning here is passed over, as
 * LeakSanitizer passes over other sanitizers' options. With the option leaks off, only detect_leaks=1 counts, and what comes
 * with it.
 */
void options_parse_lsan(struct options *options, const char *text);

#endif
