/*
 * base/message: what gcalloc has to say.
 *
 * Every report is made on the stack and leaves in one write(2), to standard error or, where the option names one, to
 * the end of the log file. errno is left alone. May be called anywhere, also from a signal handler.
 */
#ifndef BASE_MESSAGE_H
#define BASE_MESSAGE_H

#include "base/compiler.h"
#include "base/format.h"

#include <stdbool.h>

/* One line each: "gcalloc: warning: ..." and "gcalloc: ...". */
void message_warn(const char *format, ...) PRINTF_LIKE(1, 2);
void message_note(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * Keeps a way to standard error for a program that closes it before it ends, as coreutils do. Costs the program a
 * descriptor, so only who is asked for a report at exit calls this. Not done for a pipe,
 * whose reader may wait for its end.
 */
void message_keep_output(void);

/* Whether the calling thread, one of ours, has descriptors of its own: then it writes to the process's standard error. */
void message_borrow_output(bool has_own_descriptors);

/* An option's path, with every %p replaced by the process id. */
void message_expand_path(struct text *path, const char *pattern);

/* Writes a whole report. */
void message_write(const struct text *text);

#endif
