/* own/report: what the program did wrong with objects, said. */
#ifndef OWN_REPORT_H
#define OWN_REPORT_H

#include "base/compiler.h"

#include "gcalloc/borrow.h"

#include <stdbool.h>

/* "0x7f31c0 (48 bytes, struct tree)". */
struct text;

void own_describe_object(struct text *text, const void *object);

/*
 * What the program did wrong, with the object in question where the format has %o, and up to two places of the program's. Either may be
 * NULL. With `checked` the option check says what then becomes of the program, else on_error.
 */
struct own_report {
    const void *object;
    const char *section;  /* of gcalloc(7) */
    const char *earlier;  /* what happened there */
    const gca_place *earlier_place;
    const gca_place *place;
    void *caller; /* where no place is known */
    bool is_checked;
    const char *lines;  /* more to be said, each with its end of line; or NULL */
};

void own_report(const struct own_report *report, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
