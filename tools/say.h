/*
 * tools/say: the command's messages, one line each on standard error, and its exit statuses.
 */
#ifndef TOOLS_SAY_H
#define TOOLS_SAY_H

/* `gcalloc run` uses the statuses of env(1), nohup(1) and the shell, so that the program's own stay
 * recognisable. */
enum status {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
    STATUS_RUN_FAILED = 125,
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NOT_FOUND = 127,
};

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
