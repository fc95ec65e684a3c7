/*
 * base/options: GCALLOC_OPTIONS, parsed once from the table in options.def.
 *
 * A wrong option is one warning line and leaves its default; the rest count.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum { OPTION_TEXT_BYTES = 256 };

enum option_type { OPTION_BOOL, OPTION_COUNT, OPTION_SIZE, OPTION_CHOICE, OPTION_TEXT };

struct options {
#define OPTION(name, type, initial, minimum, maximum, meaning) uint64_t name;
#define CHOICE(name, initial, choices, meaning) uint64_t name;
#define TEXT(name, meaning) char name[OPTION_TEXT_BYTES];
#include "base/options.def"
#undef OPTION
#undef CHOICE
#undef TEXT
};

/* The values of the CHOICE options, in the order of their choices; the first is the default. */
enum { ON_ERROR_ABORT, ON_ERROR_REPORT };
enum { DISTANCES_AUTO, DISTANCES_ALWAYS, DISTANCES_NEVER };
enum { QUARANTINE_REPORT, QUARANTINE_ABORT, QUARANTINE_SILENT };
enum { WIPE_ZERO, WIPE_PATTERN, WIPE_NO };
enum { CHECK_OFF, CHECK_REPORT, CHECK_ABORT };
enum { HUGE_PAGES_NEVER, HUGE_PAGES_LARGE, HUGE_PAGES_ALWAYS };
enum { CONCURRENT_AUTO, CONCURRENT_NEVER, CONCURRENT_ALWAYS };

/* One row of the table, as data. */
struct option_row {
    char name[24];
    enum option_type type;
    char initial[24]; /* as written in options.def */
    uint64_t minimum;
    uint64_t maximum;
    char choices[72]; /* "first|second", or empty */
    char meaning[184];
    size_t offset; /* of its field in struct options */
};

extern const struct option_row options_table[];
extern const size_t options_count;

/* What can be wrong with an option's text; `item` is the text "key=value" and ends at item_length. */
typedef void options_complain(const char *item, size_t item_length, const char *problem);

/* Sets every option to its default. */
void options_set_defaults(struct options *options);

/* Reads "key=value,key". Wrong items are handed to complain and passed over. */
void options_parse(struct options *options, const char *text, options_complain *complain);

/* The options of this process; the defaults until options_load(). Read-only afterwards. */
const struct options *options_now(void);

/* Reads GCALLOC_OPTIONS, and LSAN_OPTIONS, and warns of what is wrong in them. Called at the first malloc. */
void options_load(void);

/* Once more, with these for LSAN_OPTIONS where the environment says nothing else. The text stays. */
void options_load_with(const char *text);

#endif
