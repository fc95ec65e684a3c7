#include "tools/report/progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { QUIET_MS = 400 };

static struct {
    int64_t began_ms;
    bool is_shown;
} progress;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_say(const char *format, ...)
{
    if (progress.began_ms == 0)
        progress.began_ms = now_ms();
    if (now_ms() - progress.began_ms < QUIET_MS || !isatty(STDERR_FILENO))
        return;
    va_list arguments;
    va_start(arguments, format);
    fputs("\rgcalloc: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\033[K", stderr);
    fflush(stderr);
    va_end(arguments);
    progress.is_shown = true;
}

void progress_end(void)
{
    if (progress.is_shown)
        fputs("\r\033[K", stderr);
    progress.is_shown = false;
}
