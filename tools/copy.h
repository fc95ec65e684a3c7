/* tools/copy: much of a target's memory at once, by several threads. */
#ifndef TOOLS_COPY_H
#define TOOLS_COPY_H

#include "tools/target.h"

/* From there to here. */
struct copy_piece {
    uintptr_t address;
    unsigned char *to;
    size_t size_bytes;
};

struct copy_list {
    struct copy_piece *pieces;
    size_t count;
    size_t total_bytes;
};

/* Returns 0 or -ENOMEM. */
int copy_add(struct copy_list *list, uintptr_t address, void *to, size_t size_bytes);
void copy_free(struct copy_list *list);

/*
 * Copies all of them. What can't be read stays as it was, and is added to `unread`, page by page. Returns 0; -ESRCH: the
 * process has ended; or another -errno.
 */
int copy_run(const struct copy_list *list, const struct target *target, struct copy_list *unread);

#endif
