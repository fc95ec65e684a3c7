/*
 * tools/report/report: a report file in memory, as gcalloc-report(5) describes it.
 *
 * Strings belong to the source that the report keeps. Indices have been checked: what a record
 * or frame names exists.
 */
#ifndef TOOLS_REPORT_REPORT_H
#define TOOLS_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum report_class {
    CLASS_DEFINITE,
    CLASS_INDIRECT,
    CLASS_POSSIBLE,
    CLASS_KERNEL,
    CLASS_REACHABLE,
    CLASS_SUPPRESSED,
    CLASS_RECLAIMED,
    CLASS_COUNT,
};

struct report_amount {
    uint64_t blocks;
    uint64_t bytes;
};

struct report_module {
    const char *path;
    const char *build_id; /* hex, "" if it has none */
    int64_t loaded_ms;    /* both since the library's start; -1: not known, or still loaded */
    int64_t unloaded_ms;
};

/* A return address; module -1: in no file, and the offset is the address itself. */
struct report_address {
    int32_t module;
    uint64_t offset;
};

/* Innermost first. */
struct report_stack {
    const struct report_address *addresses;
    size_t count;
};

struct report_thread {
    int64_t number;
    int64_t tid;
    const char *name; /* "" when not known */
    bool is_alive;
};

/* What hangs under a record's blocks, from one site. */
struct report_part {
    int32_t stack;
    const char *type; /* or NULL */
    uint64_t blocks;
};

struct report_record {
    enum report_class class;
    enum report_class class_before; /* it was suppressed */
    const char *id;
    int32_t stack; /* -1: none */
    const struct report_thread *thread;
    const char *type;
    bool is_inherited;
    struct report_amount own; /* both estimates where only samples have stacks: tools/report/samples */
    struct report_amount indirect;
    bool is_estimate;
    uint64_t error_bytes; /* standard error of own.bytes */
    double weight_blocks; /* as the file has them; 0: none */
    double weight_bytes;
    int64_t age_min_ms; /* -1: not known */
    int64_t age_max_ms;
    uint64_t size_min;
    uint64_t size_max;
    const char *example;
    bool is_cycle;
    const struct report_part *parts;
    size_t part_count;
    const char *suppressed_by; /* its line, or NULL */
};

struct report_size {
    uint64_t bytes;
    uint64_t blocks;
};

/* What there is, and was, of a type that the program has told gcalloc of. */
struct report_type {
    const char *name;
    uint64_t size_bytes; /* of an object */
    uint64_t made;
    struct report_amount now;
    struct report_amount peak;
};

enum { LIFETIMES_MAX = 24 };

/* What was allocated at a place so far, and what became of it; with samples, estimates. */
struct report_life {
    const char *id;
    int32_t stack;
    struct report_amount allocated;
    struct report_amount freed;
    uint64_t brief_blocks; /* freed before their thread allocated another block */
    uint64_t peak_bytes;
    uint64_t lifetimes[LIFETIMES_MAX]; /* blocks freed within 1 ms, 2, 4, ...; the last has all others */
};

/* A suppression that the process itself applied. */
struct report_suppression {
    const char *text;
    const char *source;
    struct report_amount matched;
};

/* Names that a report brings along, because `gcalloc report --json` wrote it. */
struct report_name {
    struct report_address address;
    size_t item; /* of the source's LIST_SYMBOLS */
};

struct report {
    struct source *source; /* what owns the strings: tools/report/source.h */
    char *owned_text;      /* that the source is of, unless it is somebody else's */
    const char *file;
    bool is_snapshot;
    const char *moment;
    int64_t process_id;
    const char *program;
    const char *const *arguments;
    size_t argument_count;
    int64_t parent_process_id;
    int64_t forks;
    int64_t taken_ms; /* since 1970 */
    int64_t running_ms;
    int64_t sample_bytes;
    bool has_gc;
    const char *const *incomplete;
    size_t incomplete_count;
    struct report_amount totals[CLASS_COUNT];
    struct report_thread *threads; /* by number */
    size_t thread_count;
    struct report_module *modules;
    size_t module_count;
    struct report_stack *stacks;
    size_t stack_count;
    struct report_record *records;
    size_t record_count;
    struct report_size *sizes;
    size_t size_count;
    struct report_life *lives; /* where most blocks were freed first; none without the option lifetimes */
    size_t life_count;
    struct report_type *types; /* those with statistics, the most bytes first */
    size_t type_count;
    struct report_suppression *suppressions;
    size_t suppression_count;
    struct report_name *names; /* by address */
    size_t name_count;
};

/* "definite", ...; an index of enum report_class. */
extern const char *const class_name_list[CLASS_COUNT];

/* CLASS_COUNT when there is no such class. */
enum report_class class_named(const char *name, size_t length);

/*
 * Reads and checks a report; "-" is standard input. NULL after one line that names the file and what is wrong with it.
 * report_free() takes it back.
 */
struct report *report_read(const char *file);

/* The same for one in memory. The text and the name, which is for messages, must outlive the report. */
struct report *report_parse(const char *text, size_t length, const char *name);

void report_free(struct report *report);

/* The program's name without its folder: what it was started as, which may be a link, unless that is a sentence. */
const char *report_program_name(const struct report *report);

/* The sum of what a record holds, itself and indirectly. */
struct report_amount report_record_total(const struct report_record *record);

/* The record is a leak of its process: definite, possible, or one that the collector healed. */
bool report_is_leak(const struct report_record *record);

#endif
