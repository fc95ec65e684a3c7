/*
 * own/repeats: which conflicts have been reported, and how often they happened since.
 *
 * Uses base. Locks: one of its own, inside all others.
 */
#include "own/repeats.h"

#include "base/format.h"
#include "base/lock.h"
#include "base/message.h"

#include <string.h>

enum { CONFLICTS_MAX = 256, TITLE_BYTES = 96, LINE_BYTES = 512 };

/* Told apart by all but the object and the count. */
struct conflict {
    char title[TITLE_BYTES]; /* "%o" stands for the object */
    const gca_place *earlier;
    const gca_place *place;
    void *caller;
    uint64_t repeats;
};

static struct lock conflicts_lock;
static struct conflict conflicts[CONFLICTS_MAX];
static size_t conflict_count;

static bool is_same_place(const gca_place *one, const gca_place *other)
{
    return one == other || (one != NULL && other != NULL && one->line == other->line && strcmp(one->file, other->file) == 0);
}

static struct conflict *find(const struct own_report *report, const char *title)
{
    for (size_t i = 0; i < conflict_count; i++) {
        struct conflict *conflict = &conflicts[i];
        if (conflict->caller == report->caller && is_same_place(conflict->earlier, report->earlier_place) &&
            is_same_place(conflict->place, report->place) && strncmp(conflict->title, title, TITLE_BYTES - 1) == 0)
            return conflict;
    }
    return NULL;
}

static void remember(const struct own_report *report, const char *title)
{
    if (conflict_count == CONFLICTS_MAX)
        return;
    struct conflict *conflict = &conflicts[conflict_count++];
    *conflict = (struct conflict){.earlier = report->earlier_place, .place = report->place, .caller = report->caller};
    struct text text = text_in(conflict->title, sizeof conflict->title);
    text_add(&text, "%s", title);
}

bool repeats_take(const struct own_report *report, const char *title)
{
    if (report->place == NULL && report->caller == NULL && report->earlier_place == NULL)
        return false; /* nothing says that it is the same */
    lock_take(&conflicts_lock);
    struct conflict *conflict = find(report, title);
    if (conflict != NULL)
        conflict->repeats++;
    else
        remember(report, title);
    lock_release(&conflicts_lock);
    return conflict != NULL;
}

/* What happened so far the parent says. */
void repeats_reset(void)
{
    lock_reset(&conflicts_lock);
    for (size_t i = 0; i < conflict_count; i++)
        conflicts[i].repeats = 0;
}

static void add_place(struct text *text, const char *words, const gca_place *place)
{
    if (place == NULL)
        return;
    const char *slash = strrchr(place->file, '/');
    text_add(text, "%s%s %s:%d", words, place->function, slash != NULL ? slash + 1 : place->file, place->line);
}

static void add_title(struct text *text, const char *title)
{
    for (; *title != '\0'; title++) {
        if (title[0] == '%' && title[1] == 'o') {
            text_add(text, "an object");
            title++;
        } else {
            text_add(text, "%c", *title);
        }
    }
}

COLD static void say_all(void)
{
    char buffer[LINE_BYTES];
    for (size_t i = 0; i < conflict_count; i++) {
        const struct conflict *conflict = &conflicts[i];
        if (conflict->repeats == 0)
            continue;
        struct text text = text_in(buffer, sizeof buffer);
        text_add(&text, "gcalloc: %lu times more: ", conflict->repeats);
        add_title(&text, conflict->title);
        add_place(&text, ", borrowed in ", conflict->earlier);
        add_place(&text, ", called in ", conflict->place);
        if (conflict->place == NULL && conflict->caller != NULL)
            text_add(&text, ", at %p", conflict->caller);
        text_add(&text, "\n");
        message_write(&text);
    }
}

/* Of the tables behind it hardly any process has touched a page. */
IN_EVERY_PROCESS void repeats_say(void)
{
    if (conflict_count != 0)
        say_all();
}
