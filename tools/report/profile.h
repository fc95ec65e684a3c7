/*
 * tools/report/profile: a profile for pprof, put together sample by sample.
 */
#ifndef TOOLS_REPORT_PROFILE_H
#define TOOLS_REPORT_PROFILE_H

#include "tools/report/names.h"
#include "tools/report/report.h"

#include <stdint.h>
#include <stdio.h>

enum { PROFILE_VALUES_MAX = 6, PROFILE_LABELS_MAX = 8 };

struct profile_label {
    const char *key;
    const char *text; /* NULL: the number counts */
    const char *unit;
    int64_t number;
};

struct profile;

/* Types and units of so many values, in pairs; the default is an index of the values. */
struct profile *profile_make(const char *const types[][2], size_t value_count, size_t default_value);
void profile_free(struct profile *profile);

void profile_set_time(struct profile *profile, int64_t taken_ms, int64_t running_ms);
void profile_set_period(struct profile *profile, int64_t sample_bytes);
/* The program's own file: pprof calls the profile by the first mapping. Before any sample. */
void profile_set_program(struct profile *profile, const struct report *report);

void profile_add_comment(struct profile *profile, const char *text);

/* The stack of a trace, with the report and the names it is from. */
void profile_add_sample(struct profile *profile, const struct report *report, struct names *names,
                        const struct trace *trace, const int64_t *values,
                        const struct profile_label *labels, size_t label_count);

/* Compressed. Returns 0, or -1 after an error message. */
int profile_write(struct profile *profile, FILE *out);

#endif
