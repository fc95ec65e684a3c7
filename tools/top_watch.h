/* tools/top_watch: the looks that `gcalloc top` takes. */
#ifndef TOOLS_TOP_WATCH_H
#define TOOLS_TOP_WATCH_H

#include "tools/top_view.h"

#include <sys/types.h>

struct top_request {
    pid_t process_id;
    double interval_s;
    unsigned long count; /* looks to take, 0 for no end */
    enum top_order order;
};

/*
 * Shows look after look. Returns the exit status. `arguments` are those of the command line after
 * "top", NULL at the end, for a new start of the command.
 */
int top_watch(const struct top_request *request, char **arguments);

#endif
