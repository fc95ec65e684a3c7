/* tools/grow_watch: the looks that `gcalloc grow` takes. */
#ifndef TOOLS_GROW_WATCH_H
#define TOOLS_GROW_WATCH_H

#include <sys/types.h>

struct grow_request {
    pid_t process_id;
    double every_s;
    unsigned long count; /* 0: until the process ends */
    unsigned long top;
    char **arguments; /* for elsewhere_start() */
};

/* Returns an exit status. */
int grow_watch(const struct grow_request *request);

#endif
