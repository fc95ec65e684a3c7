/*
 * tools/report/changes: two reports compared, site by site. A site is the same one if its id is, whatever class its blocks
 * are of by then.
 */
#ifndef TOOLS_REPORT_CHANGES_H
#define TOOLS_REPORT_CHANGES_H

#include "tools/report/render.h"

#include <stdint.h>

enum change_state { CHANGE_NEW, CHANGE_GROWN, CHANGE_SHRUNK, CHANGE_GONE, CHANGE_NONE };

struct change {
    enum change_state state;
    struct site before; /* of a new one, without blocks */
    struct site after;
    int64_t blocks; /* the difference of the totals */
    int64_t bytes;
    int64_t rate; /* bytes a second, 0 where the reports are of different processes */
};

struct changes {
    struct render before;
    struct render after;
    int64_t between_ms;  /* 0: not of one process, or not known */
    struct change *list; /* the largest change first */
    size_t count;
    size_t changed_count; /* those that are not CHANGE_NONE; they come first */
    struct sites sites_before;
    struct sites sites_after;
};

/* The renders stay the caller's; of their classes those of the later one count. */
struct changes changes_make(const struct render *before, const struct render *after);
void changes_free(struct changes *changes);

/* "new", "grown", ...; an index of enum change_state. */
extern const char *const change_state_names[];

/* The site to show, and what it is from: the later one if there is one. */
const struct site *change_site(const struct change *change);
const struct render *change_render(const struct changes *changes, const struct change *change);

/* By enum render_format. Returns 0, or -1 after one line of error. */
int changes_render(const struct changes *changes, enum render_format format);

int changes_text(const struct changes *changes);
int changes_json(const struct changes *changes);
int changes_html(const struct changes *changes);
int changes_pprof(const struct changes *changes);
int changes_folded(const struct changes *changes);
int changes_sarif(const struct changes *changes);
int changes_suppressions(const struct changes *changes);

#endif
