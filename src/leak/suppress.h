/*
 * leak/suppress: which leaks are not to be reported.
 *
 * Rules come in two forms, in one text: LeakSanitizer's, a line each, "leak:pattern", and Valgrind's, in braces. Of our own:
 * "only:pattern" suppresses what does not match, and "max=N" behind a pattern lets so many blocks pass, and no more.
 * gcalloc(7) describes them.
 */
#ifndef LEAK_SUPPRESS_H
#define LEAK_SUPPRESS_H

#include "leak/report.h"

#include <stddef.h>
#include <stdint.h>

struct suppression {
    const char *text;   /* its line, or a Valgrind rule's name */
    const char *source; /* where it is from */
    uint32_t line;
    uint64_t blocks; /* what it has suppressed in the last report */
    uint64_t bytes;
};

/*
 * Adds the rules of a text, which stays as it is; what can't be understood is warned of. `source` names it. Returns 0 or
 * -ENOMEM. suppress_add_file() returns -errno when the file can't be read.
 */
int suppress_add_text(const char *text, size_t length, const char *source);
int suppress_add_file(const char *path);

/* Gives records that a rule matches the class LEAK_SUPPRESSED. The report is settled afterwards. */
void suppress_apply(struct report *report);

/* Calls visit for each rule. */
void suppress_each(void (*visit)(const struct suppression *suppression, void *context), void *context);

/* Warns of rules that have matched nothing. */
void suppress_warn_unused(void);

#endif
