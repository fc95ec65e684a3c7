/* tools/held: values that a process has given to the kernel and that lie nowhere else. */
#ifndef TOOLS_HELD_H
#define TOOLS_HELD_H

#include "tools/snapshot.h"

/* Which of a process's descriptors matter. Looking for them takes longer than reading them. */
struct held_list {
    int *epolls;
    size_t count;
    bool tracks_writes; /* it has a userfaultfd */
};

/* Returns 0 or -errno; then there is nothing to free. */
int held_list(const struct target *target, struct held_list *list_out);
void held_list_free(struct held_list *list);

/* Adds what epoll_wait() would return of those descriptors, and what timers would bring. Returns 0 or -errno. */
int held_read(struct snapshot *snapshot, const struct held_list *list);

/* Adds what epoll_wait() would return of those that are in `now` only, made just before the process was stopped. */
int held_read_new(struct snapshot *snapshot, const struct held_list *before, const struct held_list *now);

#endif
