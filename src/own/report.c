/*
 * own/report: what the program did wrong with an object, and where.
 *
 * Uses os, base, heap. Locks: none.
 */
#include "base/format.h"
#include "base/image.h"
#include "heap/misuse.h"
#include "own/repeats.h"
#include "own/self.h"
#include "own/types.h"

#include "gcalloc/borrow.h"

#include <stdarg.h>
#include <string.h>

enum { TITLE_BYTES = 512, REPORT_BYTES = 2560 };

void own_describe_object(struct text *text, const void *object)
{
    struct block block;
    text_add(text, "%p", object);
    if (!own_block(object, &block))
        return;
    const gca_type *type = types_of(&block);
    text_add(text, " (%zu bytes", type != NULL ? type->size_bytes : block_usable(&block));
    if (type != NULL)
        text_add(text, ", %s", type->name);
    text_add(text, ")");
}

static void add_place(struct text *text, const char *what, const gca_place *place)
{
    if (place == NULL)
        return;
    const char *slash = strrchr(place->file, '/');
    text_add(text, "  %-11s  %s  %s:%d\n", what, place->function, slash != NULL ? slash + 1 : place->file, place->line);
}

/* %o in what the format made is the object. */
static void add_title(struct text *text, const char *title, const void *object)
{
    for (; *title != '\0'; title++) {
        if (title[0] == '%' && title[1] == 'o') {
            own_describe_object(text, object);
            title++;
        } else {
            text_add(text, "%c", *title);
        }
    }
    text_add(text, "\n");
}

COLD void own_report(const struct own_report *report, const char *format, ...)
{
    char title_buffer[TITLE_BYTES];
    char buffer[REPORT_BYTES];
    struct text title = text_in(title_buffer, sizeof title_buffer);
    struct text text = text_in(buffer, sizeof buffer);
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&title, format, arguments);
    va_end(arguments);
    bool is_fatal = report->is_checked ? options_now()->check == CHECK_ABORT : options_now()->on_error == ON_ERROR_ABORT;
    if (!is_fatal && repeats_take(report, title.bytes))
        return;
    text_add(&text, "gcalloc: error: ");
    add_title(&text, title.bytes, report->object);
    if (report->lines != NULL)
        text_add(&text, "%s", report->lines);
    add_place(&text, report->earlier, report->earlier_place);
    add_place(&text, "called now", report->place);
    misuse_finish(&text, "called now", report->place == NULL ? report->caller : NULL, report->section,
                  is_fatal);
}
