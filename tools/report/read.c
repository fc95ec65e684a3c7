/*
 * tools/report/read: the file of a report, and the little that is asked of one.
 */
#include "tools/report/memory.h"
#include "tools/report/progress.h"
#include "tools/report/quantity.h"
#include "tools/report/report.h"
#include "tools/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Without O_NONBLOCK a fifo that nobody writes to would be waited for. */
static int open_file(const char *file)
{
    if (strcmp(file, "-") == 0)
        return dup(STDIN_FILENO);
    return open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* NULL and errno. */
static char *read_all(int descriptor, size_t *length_out)
{
    size_t capacity = (size_t)1 << 16;
    size_t length = 0;
    char *text = memory_take(1, capacity);
    for (;;) {
        ssize_t got = read(descriptor, text + length, capacity - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            *length_out = length;
            if (got == 0)
                return text;
            free(text);
            return NULL;
        }
        length += (size_t)got;
        if (length == capacity) {
            char *larger = memory_take(2, capacity);
            memcpy(larger, text, length);
            free(text);
            text = larger;
            capacity *= 2;
        }
    }
}

/* Takes more than a moment. */
enum { LARGE_BYTES = 8 << 20 };

struct report *report_read(const char *file)
{
    size_t length = 0;
    int descriptor = open_file(file);
    char *text = descriptor >= 0 ? read_all(descriptor, &length) : NULL;
    if (text == NULL) {
        say_error("%s: %m", file);
        if (descriptor >= 0)
            close(descriptor);
        return NULL;
    }
    close(descriptor);
    if (length > LARGE_BYTES)
        progress_say_now("reading %s, %s", file, quantity_bytes(length).text);
    struct report *report = report_parse(text, length, file);
    progress_end();
    if (report != NULL)
        report->owned_text = text;
    else
        free(text);
    return report;
}

const char *report_program_name(const struct report *report)
{
    const char *started_as = report->argument_count > 0 ? text_base_name(report->arguments[0]) : "";
    const char *name = text_base_name(report->program);
    if (*started_as != '\0' && strcspn(started_as, " \t") == strlen(started_as))
        return started_as[0] == '-' ? started_as + 1 : started_as;
    return *name != '\0' ? name : "?";
}

struct report_amount report_record_total(const struct report_record *record)
{
    return (struct report_amount){
        .blocks = record->own.blocks + record->indirect.blocks,
        .bytes = record->own.bytes + record->indirect.bytes,
    };
}

bool report_is_leak(const struct report_record *record)
{
    return record->class == CLASS_DEFINITE || record->class == CLASS_POSSIBLE ||
           record->class == CLASS_RECLAIMED;
}
