/*
 * tools/report/names: the symbols of a report's addresses, each looked up when first asked for; and its stacks as people
 * read them.
 */
#ifndef TOOLS_REPORT_NAMES_H
#define TOOLS_REPORT_NAMES_H

#include "tools/report/report.h"
#include "tools/report/symbols.h"

/* One line of a stack: a function, maybe inlined into that of the next line. */
struct trace_frame {
    const struct report_address *address;
    const struct symbol_frame *symbol; /* NULL: no name is known */
};

struct trace {
    struct trace_frame *frames;
    size_t count;
};

struct names;

/* Several reports may share the symbols. Both outlive the names. */
struct names *names_make(const struct report *report, struct symbols *symbols);
void names_free(struct names *names);

struct symbol names_find(struct names *names, const struct report_address *address);

/*
 * The stack's lines. Trimmed: without the allocator's own frames, and without those of libc that call main() or a thread's
 * function, unless nothing else would be left. Stack -1 has none. The frames belong to the caller.
 */
struct trace names_trace(struct names *names, int32_t stack, bool is_trimmed);

/* A function of C++'s or Rust's standard library, by its name. */
bool names_is_standard(const struct trace_frame *frame);

/* A name for one line: the function, or module+0xoffset. To be freed. */
char *names_label(const struct report *report, const struct trace_frame *frame);

/* "lib.so+0x41c2", or "0x7f…" where there is no module. To be freed. */
char *names_place(const struct report *report, const struct report_address *address);

/* When the module was unloaded, in ms since 1970; -1: never. */
int64_t names_unloaded_ms(const struct report *report, const struct report_module *module);

/* Says on standard error which modules could not be named and why, one line each. */
void names_say_problems(const struct names *names);

#endif
