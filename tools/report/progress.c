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

static void show(const char *format, va_list arguments)
{
    if (!isatty(STDERR_FILENO))
        return;
    fputs("\rgcalloc: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\033[K", stderr);
    fflush(stderr);
    progress.is_shown = true;
}

void progress_say(const char *format, ...)
{
    va_list arguments;
    if (progress.began_ms == 0)
        progress.began_ms = now_ms();
    if (now_ms() - progress.began_ms < QUIET_MS)
        return;
    va_start(arguments, format);
    show(format, arguments);
    va_end(arguments);
}

void progress_say_now(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    show(format, arguments);
    va_end(arguments);
}

void progress_end(void)
{
    if (progress.is_shown)
        fputs("\r\033[K", stderr);
    progress.is_shown = false;
}
