/*
 * leak/report: what a classification found, added up by where blocks come from; and both forms it is written in.
 *
 * A report is built while nothing changes and can be written at leisure: it refers to the tables of leak/tables.h only,
 * which are never taken back. Runs on a copy of the image as well.
 */
#ifndef LEAK_REPORT_H
#define LEAK_REPORT_H

#include "leak/classify.h"
#include "leak/grown.h"
#include "leak/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPORT_SITES_MAX = 8, REPORT_SIZES_MAX = 256, REPORT_INCOMPLETE_MAX = 8 };

struct leak_counts {
    uint64_t blocks;
    uint64_t bytes;
};

/* The unit of a report: blocks of one class that were allocated at the same site by the same thread. */
struct report_record {
    /* The key. */
    uint32_t stack; /* id, 0 if not known */
    uint32_t type;  /* 0 if not known */
    uint16_t thread;
    uint8_t class;
    bool is_inherited; /* allocated before the process was forked */

    bool is_cycle; /* some head is part of one */
    uint32_t id;
    struct leak_counts own;
    struct leak_counts indirect; /* what hangs under them */
    double weight_blocks;        /* estimates, where only samples have a stack; else 0 */
    double weight_bytes;
    double variance_bytes; /* of weight_bytes */
    uint32_t oldest_ms; /* on the clock of records */
    uint32_t newest_ms;
    size_t size_min;
    size_t size_max;
    uintptr_t example;
    uint32_t next;       /* in the list of the hash, plus one */
    uint32_t first_site; /* of what hangs under them, plus one */
};

/* Of what hangs under the blocks of a record, that from one stack, of one type. */
struct report_site {
    uint32_t record;
    uint32_t stack;
    uint32_t type;
    struct leak_counts counts;
    uint32_t next_in_hash;
    uint32_t next_in_record;
};

/* What only who asks for the report can know. */
struct report_about {
    const char *kind;   /* "leaks" or "snapshot" */
    const char *moment; /* "exit" and the like, see gcalloc-report(5) */
    int process_id;
    int parent_id;
    const char *path;
    const char *arguments; /* each ended by a zero byte */
    size_t arguments_bytes;
    uint64_t taken_ms; /* since 1970 */
    uint32_t now_ms;   /* on the clock of records */
    bool all_blocks;   /* records of blocks that are held as well */
    uint32_t births;   /* unless 0: only blocks born in one of these count, a bit each */
    /* The name of a thread that lives; false if there is none of that number. */
    bool (*thread_name)(int thread_id, char name_out[THREAD_NAME_BYTES]);
    const char *incomplete[REPORT_INCOMPLETE_MAX];
    size_t incomplete_count;
};

struct report_size {
    size_t slot_bytes;
    uint64_t blocks;
};

struct report {
    struct report_about about;
    struct leak_counts totals[LEAK_CLASSES];
    struct leak_counts unrecorded[LEAK_CLASSES]; /* in totals, but in no record */
    struct leak_counts inherited; /* of LEAK_DEFINITE */
    struct grown records;         /* struct report_record */
    uint32_t record_count;
    struct grown sites; /* struct report_site */
    uint32_t site_count;
    struct grown record_heads; /* hash tables: number of the first, plus one */
    struct grown site_heads;
    uint32_t record_mask;
    uint32_t site_mask;
    struct grown owners; /* by head, the number of its record, plus one */
    struct grown order;  /* of records, by number: the largest first */
    struct grown lives;  /* struct life, by number: as they were when the records were made */
    uint32_t life_count;
    struct report_size sizes[REPORT_SIZES_MAX];
    size_t size_count;
    size_t last_size;     /* that was met, mostly the next one's, too */
    uint32_t last_record; /* likewise */
    uint32_t last_site;   /* likewise */
    int result;
};

/* How long before the report that was: none at all for what a thread has allocated since. */
static inline uint32_t report_age_ms(const struct report *report, uint32_t time_ms)
{
    return report->about.now_ms > time_ms ? report->about.now_ms - time_ms : 0;
}

static inline struct report_record *report_records(const struct report *report)
{
    return report->records.start;
}

/* The record that comes as number `place` in a report that is settled. */
static inline struct report_record *report_in_order(const struct report *report, uint32_t place)
{
    return &report_records(report)[((const uint32_t *)report->order.start)[place]];
}

static inline struct report_site *report_sites(const struct report *report)
{
    return report->sites.start;
}

/*
 * Adds up what was classified, between classify_finish() and classify_end(). The report stays where it is. Returns 0 or
 * -ENOMEM; report_drop() in any case.
 */
int report_build(struct report *report, const struct report_about *about);

/* Copies what is known of lifetimes: done by report_build(), and by who makes an empty report. Returns 0 or -ENOMEM. */
int report_keep_lives(struct report *report);
void report_drop(struct report *report);

/* Makes totals again, after classes of records have been changed; and puts the largest records first. */
void report_settle(struct report *report);

/* The id of a place: the same in every run of the same files. Type 0: none. */
uint32_t report_id(uint32_t stack, uint32_t type);

/* What the program has of a record's blocks, and of what hangs under them: an estimate where only samples are recorded. */
struct leak_counts report_own(const struct report_record *record);
struct leak_counts report_indirect(const struct report_record *record);

/* How far off report_own() of a sample may well be, in bytes: the standard error. 0 where nothing is estimated. */
uint64_t report_error_bytes(const struct report_record *record);

/* As gcalloc-report(5) describes it. */
void report_write_json(const struct report *report, struct sink *sink);

/* For people, when no command is there that knows names. */
void report_write_text(const struct report *report, struct sink *sink);

/* The names of classes in reports. */
extern const char *const leak_class_names[LEAK_CLASSES];

#endif
