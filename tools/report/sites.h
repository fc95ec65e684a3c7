/*
 * tools/report/sites: records of the same place taken together, whatever thread they are of, the largest first.
 */
#ifndef TOOLS_REPORT_SITES_H
#define TOOLS_REPORT_SITES_H

#include "tools/report/report.h"

struct site {
    const struct report_record *record; /* the largest of them: its stack, type, shape and example */
    struct report_amount own;
    struct report_amount indirect;
    struct report_amount total;
    bool is_estimate; /* of samples */
    double variance_bytes; /* then, of own.bytes */
    int64_t age_min_ms; /* -1: not known */
    int64_t age_max_ms;
    uint64_t size_min;
    uint64_t size_max;
    const struct report_thread **threads; /* each once */
    size_t thread_count;
};

struct sites {
    struct site *list;
    size_t count;
    struct report_amount total;
};

/* Bit by enum report_class; 0: what the report is about (leaks; or all that is allocated, for a snapshot). */
unsigned sites_classes(const struct report *report, unsigned classes);

/* The sites of these classes. */
struct sites sites_make(const struct report *report, unsigned classes);
void sites_free(struct sites *sites);

/* Standard error of own.bytes, 0 if that is exact. */
uint64_t sites_error_bytes(const struct site *site);

/* Bytes a second since the oldest block, or 0 where that says nothing. */
uint64_t sites_rate(const struct site *site);

/* The same site in another report has the same id, class or not. */
int sites_compare_ids(const struct report_record *left, const struct report_record *right);

#endif
