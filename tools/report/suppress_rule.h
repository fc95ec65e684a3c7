/*
 * tools/report/suppress_rule: one suppression, read from its lines.
 */
#ifndef TOOLS_REPORT_SUPPRESS_RULE_H
#define TOOLS_REPORT_SUPPRESS_RULE_H

#include "tools/report/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum rule_kind {
    RULE_LEAK,     /* leak:PATTERN: any frame's function, file or module */
    RULE_ONLY,     /* only:PATTERN: everything else is suppressed */
    RULE_VALGRIND, /* { ... }: frames from the innermost on */
};

enum rule_part_kind { PART_FUNCTION, PART_OBJECT, PART_SOURCE, PART_ANY };

struct rule_part {
    enum rule_part_kind kind;
    char *pattern;
};

struct rule {
    enum rule_kind kind;
    char *text;    /* as written; of { } its name */
    char *source;  /* FILE:LINE */
    char *pattern; /* with a '*' at each end that is not anchored */
    uint64_t blocks_max; /* a place that has lost more is reported */
    unsigned classes;    /* bit by enum report_class: what { } may suppress */
    struct rule_part *parts;
    size_t part_count;
    struct report_amount matched;
    bool is_shared;   /* nobody minds if it matches nothing */
    bool is_exceeded; /* some place has lost more than blocks_max */
};

struct rule_list {
    struct rule *rules;
    size_t count;
};

/* Reads a whole file. False after one line about the first mistake. */
bool rule_list_read(struct rule_list *list, const char *path, FILE *stream);
void rule_list_free(struct rule_list *list);

#endif
