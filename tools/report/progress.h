/*
 * tools/report/progress: one line on a terminal that says what takes so long. Elsewhere nothing is printed.
 */
#ifndef TOOLS_REPORT_PROGRESS_H
#define TOOLS_REPORT_PROGRESS_H

/* Shown once the command has been at work for a while; the next one takes its place. */
void progress_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same at once, for what is known to take long. */
void progress_say_now(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Before anything else is printed. */
void progress_end(void);

#endif
