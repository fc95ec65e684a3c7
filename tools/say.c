#include "tools/say.h"

#include <stdarg.h>
#include <stdio.h>

/* The line is put together first: written in one go, it does not mix with what the program under us
 * prints. */
static void say_line(const char *kind, const char *format, va_list arguments)
{
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    fprintf(stderr, "gcalloc: %s%s\n", kind, text);
}

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_line("", format, arguments);
    va_end(arguments);
}

void say_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_line("warning: ", format, arguments);
    va_end(arguments);
}

void say_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_line("error: ", format, arguments);
    va_end(arguments);
}
